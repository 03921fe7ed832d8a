"""What sensors can deliver; anything else is a fault and counts nowhere."""

import numpy as np

from utt_ros.types import FloatArray, MaskArray

STAMP_NS = (1, 2**62)
ACCEL_MPS2 = 500.0  # phones' sensors end at 8 or 16 g; drops and other scales included
GYRO_RADPS = 100.0  # they end at 2000 deg/s = 35 rad/s
MAGNETIC_T = 0.01  # a hundred times the field of the earth; they end at 5 mT
RANGE_M = (-50.0, 300.0)  # may be negative at short range, as Android reports it
RANGE_STD_M = 300.0
PIXELS = 1e5
DEPTH_M = 1000.0
BOXES = 256  # in one frame
NAME_LENGTH = 64


def is_name(name: str) -> bool:
    """Whether a subject's name can be part of a topic's name."""
    return (name.isidentifier() and name.isascii() and '__' not in name
            and len(name) <= NAME_LENGTH)


def check_boxes(boxes: FloatArray) -> tuple[MaskArray, MaskArray]:
    """Two masks (N,) of boxes (N, 5): finite, within limits; a depth not finite is unknown."""
    plane = boxes[:, (0, 1, 3, 4)]
    depth = boxes[:, 2]
    is_depth = ~np.isfinite(depth) | ((depth > 0.0) & (depth <= DEPTH_M))
    is_inside = np.all(np.abs(plane) <= PIXELS, axis=1)
    has_area = np.all(plane[:, 2:] > 0.0, axis=1)
    return np.all(np.isfinite(plane), axis=1), is_inside & has_area & is_depth

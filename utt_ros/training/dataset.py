"""Windows with their labels, as columns that a buffer keeps and a batch is drawn from."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.geometry.compass import turn_field
from utt_ros.motion.stride import find_stride
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.labels import motion_labels
from utt_ros.types import SyncedBatch, Windows

CENTRE = 'centre_px'  # (N,) the column about which paths can be mirrored; NaN: they cannot
MAX_AP_OFFSET_M = 0.3  # of an access point to the side: beyond it a mirror image is further off

Columns = dict[str, npt.NDArray[Any]]
"""Arrays of equal length: a modality's values under its name, its mask under '<name>_mask', and
the fields of MotionLabels and of Stride."""


def make_examples(windows: Windows, area: AreaSettings, shape: WindowSettings) -> Columns:
    """The first T ticks of windows of T + H ticks; motion and stride that all of them show.

    Magnetic fields are turned towards the area, as a model reads and makes them everywhere.
    """
    columns: Columns = {}
    for name, values in windows.values.items():
        rows = values.shape[1] * shape.ticks // (shape.ticks + shape.horizon)
        columns[name] = values[:, :rows]
        columns[f'{name}_mask'] = windows.masks[name][:, :rows]
    if 'imu' in columns:
        columns['imu'] = turn_field(
            columns['imu'], columns['imu_mask'], shape.period / shape.imu_rows, area.magnetic_yaw)
    columns[CENTRE] = np.full(len(windows), mirror_column(area), np.float32)
    stride = find_stride(
        windows.values['imu'], windows.masks['imu'], shape.ticks * shape.imu_rows - 1,
        shape.period / shape.imu_rows)
    labels = (motion_labels(windows, area, shape), stride)
    return columns | {name: getattr(part, name) for part in labels for name in part.__slots__}


def mirror_column(area: AreaSettings) -> float:
    """The column straight ahead of the camera [px]; NaN where mirror images have other ranges."""
    return area.cx if abs(area.ap_position[1]) <= MAX_AP_OFFSET_M else float('nan')


def only_certain(batch: SyncedBatch, least: float) -> SyncedBatch:
    """The tick without the boxes whose association is below `least`."""
    certain = batch.camera_mask & (batch.association >= np.float32(least))
    if np.array_equal(certain, batch.camera_mask):
        return batch
    return replace(batch, camera=batch.camera * certain[:, None], camera_mask=certain)


def take(columns: Columns, rows: npt.NDArray[np.intp] | slice) -> Columns:
    """Some rows of every column."""
    return {name: values[rows] for name, values in columns.items()}

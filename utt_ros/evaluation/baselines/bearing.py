"""The plainest positions: a box back-projected, and the last bearing with the newest range."""

import numpy as np

from utt_ros.evaluation.baselines.settings import FloorSettings
from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray


def back_projection(area: AreaSettings, walk: Walk) -> Track:
    """Where the depth of each box says that the subject is; nothing while he is not seen."""
    with np.errstate(invalid='ignore', divide='ignore'):
        position = CameraModel(area).back_project(walk.camera)
    position[~walk.camera_mask] = np.nan
    return track(position)


def bearing_and_range(area: AreaSettings, walk: Walk, settings: FloorSettings) -> Track:
    """The last direction in which the camera saw the subject, as far out as the newest range [D].

    The point of the ray p = t u, t >= 0, at the distance of the range from the access point; where
    the ray misses that circle, the point of it that comes closest.
    """
    seen = hold(back_projection(area, walk).position.astype(np.float64), walk.camera_mask)
    ray = seen / np.linalg.norm(seen, axis=1, keepdims=True)
    ranges = hold(walk.ftm[:, :1].astype(np.float64), walk.ftm_mask)[:, 0]
    distance = floor_distance(ranges, area, settings)
    ap = np.asarray(area.ap_position[:2])
    along = ray @ ap
    half = np.sqrt(np.maximum(along**2 - ap @ ap + distance**2, 0.0))
    return track(ray * np.maximum(along + half, 0.0)[:, None])


def hold(values: Array, mask: MaskArray) -> Array:
    """Values (T, F) of the newest row that counts; NaN before there is one."""
    newest = np.maximum.accumulate(np.where(mask, np.arange(len(mask)), -1))
    held: Array = np.where(newest[:, None] >= 0, values[newest], np.nan)
    return held


def floor_distance(ranges: Array, area: AreaSettings, settings: FloorSettings) -> Array:
    """Distances on the floor from the access point that ranges (...) [m] stand for."""
    slant = (ranges - settings.range_offset) / (1 + settings.range_slope)
    rise = area.ap_position[2] - area.phone_height
    return np.asarray(np.sqrt(np.maximum(np.maximum(slant, 0.0)**2 - rise**2, 0.25)))


def track(position: Array) -> Track:
    """Positions (T, 2) of which nobody says how far to trust them."""
    covariance = np.full((*position.shape, 2), np.nan, np.float32)
    return Track(position.astype(np.float32), covariance)

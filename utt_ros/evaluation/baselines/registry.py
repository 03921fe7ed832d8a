"""The floors by name: simple estimators that a twin must beat by a wide margin."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from utt_ros.evaluation.baselines.bearing import back_projection, bearing_and_range
from utt_ros.evaluation.baselines.kalman import kalman_track
from utt_ros.evaluation.baselines.pdr_particle_filter import particle_track
from utt_ros.evaluation.baselines.settings import FloorSettings
from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.settings import AreaSettings, WindowSettings

Floor = Callable[[AreaSettings, Walk], Track]

TRUTH_STEP_NS = 100_000_000  # over which constant velocity on the truth takes its velocity
SOURCES = {
    'back_projection': 'camera', 'bearing_range': 'camera+ftm', 'kalman_camera': 'camera',
    'kalman_range': 'camera+ftm', 'particles': 'camera+ftm+imu',
    'particles_known_start': 'camera+ftm+imu', 'constant_velocity_truth': 'truth'}


def floors(window: WindowSettings, settings: FloorSettings | None = None) -> Mapping[str, Floor]:
    """What makes a track of a walk, for every name in SOURCES."""
    own = settings or FloorSettings()
    return {
        'back_projection': back_projection,
        'bearing_range': partial(bearing_and_range, settings=own),
        'kalman_camera': partial(kalman_track, window=window, settings=own, ranges=False),
        'kalman_range': partial(kalman_track, window=window, settings=own, ranges=True),
        'particles': partial(particle_track, window=window, settings=own),
        'particles_known_start': partial(
            particle_track, window=window, settings=own, resets=False),
        'constant_velocity_truth': partial(_on_truth, window=window)}


def _on_truth(_: AreaSettings, walk: Walk, window: WindowSettings) -> Track:
    """Constant velocity from the truth itself: no floor, but a mark for predicted paths."""
    now, before = walk.truth_m(), walk.truth_m(-TRUTH_STEP_NS)
    velocity = (now - before) / (TRUTH_STEP_NS / 1e9)
    seconds = window.period * np.arange(1, window.horizon + 1)
    ahead = velocity[:, None] * seconds[:, None]
    covariance = np.full((len(now), 2, 2), np.nan, np.float32)
    return Track(now.astype(np.float32), covariance, ahead.astype(np.float32))

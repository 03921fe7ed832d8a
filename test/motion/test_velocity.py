"""What boxes up to now tell of how people move."""

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.motion.velocity import ACCELERATIONS, Seen, course, follow, see, step, strangers
from utt_ros.settings import AreaSettings

AREA = AreaSettings()
PERIOD_S = 0.1
TICKS = 40


def sideways(speed: float = 1.0) -> np.ndarray:
    """Positions (K, 2) of somebody who crosses the view, twelve metres ahead."""
    return np.column_stack([np.full(TICKS, 12.0), speed * PERIOD_S * (np.arange(TICKS) - 20)])


def seen_of(path: np.ndarray) -> Seen:
    return see(CameraModel(AREA).project(path)[None], np.ones((1, TICKS), bool), AREA)


def test_depths_count_less_than_bearings() -> None:
    seen, state, spread = seen_of(sideways()), *strangers(1)
    for tick in range(TICKS):
        state, spread = step(state, spread, PERIOD_S, seen[:, tick])
    along, across = spread[0, 0, 2, 2], spread[0, 0, 3, 3]
    assert across < 0.7 * along
    np.testing.assert_allclose(state[0, 0], [12.0, sideways()[-1, 1], 0.0, 1.0], atol=0.05)


def test_after_a_turn_the_restless_filter_is_ahead_of_the_usual_and_the_steady_behind() -> None:
    path = sideways()
    path[-8:, 1] = path[-9, 1]
    path[-8:, 0] -= PERIOD_S * np.arange(1, 9)  # now towards the camera
    told, _, valid = follow(seen_of(path), PERIOD_S, late=5)
    velocity, steady, restless = told[0, :3]
    assert valid.all()
    assert velocity[0] < -0.1
    assert steady[0] > 0.05  # less of the turn
    assert restless[0] < -0.05
    assert len(ACCELERATIONS) == 3


def test_a_camera_that_was_blocked_tells_the_course_before() -> None:
    path = sideways()
    path[-5:, 1] = path[-6, 1]  # stopped
    now, late, _ = follow(seen_of(path), PERIOD_S, late=5)
    straight, _, _ = follow(seen_of(sideways()), PERIOD_S, late=5)
    assert late[0, 0] == pytest.approx(straight[0, 0], abs=0.05)
    assert now[0, 0, 1] < late[0, 0, 1] - 0.05


def test_boxes_that_are_broken_or_masked_count_as_unseen() -> None:
    boxes = CameraModel(AREA).project(sideways())[None]
    boxes[0, 5] = np.nan
    mask = np.ones((1, TICKS), bool)
    mask[0, 9] = False
    seen = see(boxes, mask, AREA)
    assert np.flatnonzero(~seen.mask[0]).tolist() == [5, 9]
    assert np.isfinite(seen.positions).all()
    assert (seen.precision[0] > 0).tolist() == seen.mask[0].tolist()


def test_of_somebody_who_was_hardly_seen_no_course_is_told() -> None:
    state, spread = strangers(1)
    state, spread = step(state, spread, PERIOD_S, seen_of(sideways())[:, 0])
    assert not course(state, spread)[1].any()

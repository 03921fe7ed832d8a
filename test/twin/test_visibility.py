import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.twin.visibility import OCCLUSION_PROBABILITY, VisibilityMap

CAMERA = CameraModel(AreaSettings(area='hall'))
VIEW = VisibilityMap(CAMERA)
NOW = np.zeros((1, 1), np.float32)


def test_table_agrees_with_the_camera_but_at_its_edges(rng):
    at = rng.uniform(-30, 30, (5000, 2)).astype(np.float32)
    agree = VIEW.covers(at[:, 0], at[:, 1]) == CAMERA.in_view(at)
    assert agree.mean() > 0.98


def test_far_away_is_out_of_view():
    far = np.array([1e6, -1e6, 26.9, -26.9], np.float32)
    assert not VIEW.covers(far, np.zeros(4, np.float32)).any()
    assert not VIEW.covers(np.full(4, 8, np.float32), far).any()


def test_not_being_seen_speaks_against_being_in_view_but_not_for_ever():
    x, y = np.array([[8.0, -8.0]], np.float32), np.zeros((1, 2), np.float32)
    hidden = np.full((1, 2), OCCLUSION_PROBABILITY, np.float32)
    total = np.ones(2)
    for _ in range(100):
        likelihood, hidden = VIEW.missed_detection(x, y, hidden, NOW)
        total *= likelihood[0]
    assert total[1] == 1
    # no number of misses is stronger evidence than an occlusion
    assert 0.5 * OCCLUSION_PROBABILITY < total[0] < OCCLUSION_PROBABILITY + 0.01
    assert hidden[0, 0] > 0.99


def test_who_was_hidden_is_not_hidden_for_ever():
    x = y = np.full((1, 1), -8.0, np.float32)
    elapsed = np.full((1, 1), 30.0, np.float32)
    _, hidden = VIEW.missed_detection(x, y, np.ones((1, 1), np.float32), elapsed)
    np.testing.assert_allclose(hidden, OCCLUSION_PROBABILITY, atol=1e-3)

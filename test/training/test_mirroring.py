"""Left and right exchanged in what a model learns from."""

import numpy as np
import pytest

from utt_ros.geometry.compass import compass_heading
from utt_ros.models.modalities import modality
from utt_ros.settings import AreaSettings
from utt_ros.training.dataset import CENTRE, mirror_column
from utt_ros.training.mirroring import MIRRORS, mirror_some

ROW_S = 0.02
NAMES = ('camera', 'ftm', 'imu')


def columns(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Three windows of somebody whose phone points 1 rad to the left, field to the north."""
    imu = np.zeros((3, 150, 9), np.float32)
    imu[..., 2] = 9.81
    imu[..., 6:] = 3e-5 * np.cos(1.0), 3e-5 * np.sin(1.0), -4e-5
    imu[..., 6] *= -1.0  # to the right of somebody who heads north of east lies the south
    made = {'camera': rng.normal(600, 50, (3, 30, 5)), 'ftm': rng.normal(5, 1, (3, 30, 2))}
    masks = {f'{name}_mask': np.ones(values.shape[:2], bool)
             for name, values in {**made, 'imu': imu}.items()}
    return {**{name: values.astype(np.float32) for name, values in made.items()}, 'imu': imu,
            **masks, CENTRE: np.full(3, 640.0, np.float32)}


def test_boxes_change_sides_phones_their_heading_and_ranges_nothing(
    rng: np.random.Generator,
) -> None:
    before = columns(rng)
    after = mirror_some(before, NAMES, ROW_S, np.array([True, False, True]))
    np.testing.assert_allclose(
        after['camera'][[0, 2], :, 0], 1280.0 - before['camera'][[0, 2], :, 0], rtol=1e-6)
    np.testing.assert_array_equal(after['camera'][..., 1:], before['camera'][..., 1:])
    np.testing.assert_array_equal(after['ftm'], before['ftm'])
    headings = [compass_heading(part['imu'], part['imu_mask'], ROW_S, 0.0)[0]
                for part in (before, after)]
    np.testing.assert_allclose(headings[0], 1.0, atol=1e-3)
    np.testing.assert_allclose(headings[1], [-1.0, 1.0, -1.0], atol=1e-3)


def test_what_is_mirrored_is_a_copy(rng: np.random.Generator) -> None:
    before = columns(rng)
    kept = {name: values.copy() for name, values in before.items()}
    mirror_some(before, NAMES, ROW_S, np.ones(3, bool))
    for name, values in kept.items():
        np.testing.assert_array_equal(before[name], values)


def test_windows_of_an_access_point_to_the_side_stay_as_they_are(
    rng: np.random.Generator,
) -> None:
    before = columns(rng)
    before[CENTRE][1] = mirror_column(AreaSettings(ap_position=(0.0, 2.0, 2.5)))
    before[CENTRE][2] = mirror_column(AreaSettings(ap_position=(5.0, 0.1, 2.5)))
    after = mirror_some(before, NAMES, ROW_S, np.ones(3, bool))
    changed = [bool((after['camera'][row] != before['camera'][row]).any()) for row in range(3)]
    assert changed == [True, False, True]


def test_nothing_is_mirrored_beside_a_modality_that_has_no_mirror(
    rng: np.random.Generator,
) -> None:
    before = columns(rng)
    before['lidar'], before['lidar_mask'] = before['ftm'], before['ftm_mask']
    assert mirror_some(before, (*NAMES, 'lidar'), ROW_S, np.ones(3, bool)) is before


@pytest.mark.parametrize('name', sorted(MIRRORS))
def test_what_has_a_mirror_is_a_modality(name: str) -> None:
    assert modality(name).name == name

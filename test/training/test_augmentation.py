# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Data augmentation: outages, changes of pose, and mirrored paths."""

from collections.abc import Callable

import numpy as np
import pytest

from utt_ros.geometry.compass import compass_heading
from utt_ros.models.modalities import modality
from utt_ros.motion.features import CONTEXT
from utt_ros.motion.gait import GAIT_FEATURES
from utt_ros.motion.velocity import VELOCITY_FEATURES
from utt_ros.settings import AreaSettings
from utt_ros.training import augmentation
from utt_ros.training.augmentation import (
    MIRRORS,
    augmented_motion_targets,
    mask_access_points,
    mask_window_end,
    mirror_paths,
    perturb_pose_and_hard_iron,
)
from utt_ros.training.columns import CENTRE, Columns
from utt_ros.training.dataset import mirror_column
from utt_ros.training.labels import heading_frame_targets
from utt_ros.types import AP_GEOMETRY

Labelled = Callable[[int], Columns]
COUNT = 400  # of `labelled_columns`
ROW_S = 0.02
NAMES = ('camera', 'ftm', 'imu')




def test_subjects_not_seen_lately_have_no_course(
    rng: np.random.Generator, labelled_columns: Labelled,
) -> None:
    columns = labelled_columns(COUNT)
    columns['camera_mask'][: COUNT // 2, -augmentation.MAX_VELOCITY_AGE_TICKS:] = False
    context = augmented_motion_targets(columns, rng).context
    course = slice(1, 2 + 2 * len(VELOCITY_FEATURES))
    assert not context[: COUNT // 2, course].any()
    assert context[COUNT // 2:, 1].mean() == pytest.approx(1 - augmentation.NO_COURSE, abs=0.1)


def test_a_blocked_camera_gives_an_old_course(
    rng: np.random.Generator, labelled_columns: Labelled,
) -> None:
    context = augmented_motion_targets(labelled_columns(COUNT), rng).context
    speed = np.hypot(context[:, 2], context[:, 3])
    current, late = (np.isclose(speed, known).mean() for known in (2.0, 3.0))
    assert np.isclose(speed, 0.0).mean() + current + late == pytest.approx(1.0)
    assert late / (current + late) == pytest.approx(augmentation.BLOCKED, abs=0.08)


def test_a_missing_phone_gives_neither_heading_nor_gait(
    rng: np.random.Generator, labelled_columns: Labelled,
) -> None:
    context = augmented_motion_targets(labelled_columns(COUNT), rng).context
    gaits = context[:, -len(GAIT_FEATURES):]
    missing = ~gaits.any(1)
    assert missing.mean() == pytest.approx(augmentation.NO_PHONE, abs=0.07)
    assert gaits[~missing].all()
    assert not context[missing, 0].any()
    assert 0.8 < context[~missing, 0].mean() < 1.0


def test_mirrored_targets_exchange_left_and_right(
    labelled_columns: Labelled,
) -> None:
    known = np.ones(COUNT, bool)
    columns = labelled_columns(COUNT)
    targets = heading_frame_targets(columns, known, columns['course'], known, columns['gait'])
    mirrored = augmentation.mirror_targets(targets, known)
    np.testing.assert_array_equal(mirrored.velocity, targets.velocity * [1, -1])
    np.testing.assert_array_equal(mirrored.future, targets.future * [1, -1])
    before, after = (
        dict(zip(CONTEXT, part.context[0], strict=True)) for part in (targets, mirrored))
    changed = {name for name in CONTEXT if before[name] != after[name]}
    assert changed <= {name for name in CONTEXT if 'turn' in name or name.endswith('_y')}
    assert 'turn_1.0_s_rad' in changed
    again = augmentation.mirror_targets(mirrored, known)
    np.testing.assert_array_equal(again.context, targets.context)
    np.testing.assert_array_equal(
        augmentation.mirror_targets(targets, ~known).context, targets.context)


def test_only_the_end_of_a_window_is_masked(rng: np.random.Generator) -> None:
    mask = np.ones((COUNT, 20), bool)
    mask[:, 3] = False
    seen = mask_window_end(mask, 0.5, rng)
    lengths = 20 - np.array([np.flatnonzero(row)[-1] + 1 if row.any() else 0 for row in seen])
    assert 0.4 < (lengths > 0).mean() < 0.6
    assert lengths.max() == 20
    for row, length in zip(seen, lengths, strict=True):
        np.testing.assert_array_equal(row[: 20 - length], mask[0, : 20 - length])
    np.testing.assert_array_equal(mask_window_end(mask, 0.0, rng), mask)


def test_a_perturbed_pose_is_a_rotation(rng: np.random.Generator) -> None:
    imu = rng.normal(size=(COUNT, 7, 9)).astype(np.float32)
    imu[..., 6:] *= 1e-5
    tilted = perturb_pose_and_hard_iron(imu, rng)
    for first in (0, 3):
        np.testing.assert_allclose(
            np.linalg.norm(tilted[..., first:first + 3], axis=-1),
            np.linalg.norm(imu[..., first:first + 3], axis=-1), rtol=1e-4)
    between = np.einsum('nrk,nrk->nr', imu[..., :3], imu[..., 3:6])
    np.testing.assert_allclose(
        np.einsum('nrk,nrk->nr', tilted[..., :3], tilted[..., 3:6]), between, atol=1e-4)
    assert (tilted != imu).any(axis=(1, 2)).all()


def test_a_tilt_hardly_changes_the_heading_of_a_lying_phone(rng: np.random.Generator) -> None:
    lying = np.zeros((COUNT, 1, 9), np.float32)
    lying[..., 2], lying[..., 7] = 9.81, 3e-5  # y axis to magnetic north
    tilted = perturb_pose_and_hard_iron(np.repeat(lying, 100, axis=1), rng)
    heading, valid = compass_heading(tilted, np.ones(tilted.shape[:2], bool), 0.02, 0.0)
    error = heading - np.pi / 2
    assert valid.all()
    assert np.abs(np.median(error)) < 0.02
    assert np.std(error) < 0.15


def walk_columns(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return three windows of a person whose phone heads 1 rad to the left, field to the north."""
    imu = np.zeros((3, 150, 9), np.float32)
    imu[..., 2] = 9.81
    imu[..., 6:] = 3e-5 * np.cos(1.0), 3e-5 * np.sin(1.0), -4e-5
    imu[..., 6] *= -1.0  # south is to the right of a heading north of east
    values = {'camera': rng.normal(600, 50, (3, 30, 5)), 'ftm': rng.normal(5, 1, (3, 30, 2))}
    masks = {f'{name}_mask': np.ones(values.shape[:2], bool)
             for name, values in {**values, 'imu': imu}.items()}
    return {**{name: values.astype(np.float32) for name, values in values.items()}, 'imu': imu,
            **masks, CENTRE: np.full(3, 640.0, np.float32)}


def test_mirroring_reflects_boxes_and_headings_and_keeps_ranges(
    rng: np.random.Generator,
) -> None:
    before = walk_columns(rng)
    after = mirror_paths(before, NAMES, ROW_S, np.array([True, False, True]))
    np.testing.assert_allclose(
        after['camera'][[0, 2], :, 0], 1280.0 - before['camera'][[0, 2], :, 0], rtol=1e-6)
    np.testing.assert_array_equal(after['camera'][..., 1:], before['camera'][..., 1:])
    np.testing.assert_array_equal(after['ftm'], before['ftm'])
    headings = [compass_heading(part['imu'], part['imu_mask'], ROW_S, 0.0)[0]
                for part in (before, after)]
    np.testing.assert_allclose(headings[0], 1.0, atol=1e-3)
    np.testing.assert_allclose(headings[1], [-1.0, 1.0, -1.0], atol=1e-3)


def test_mirroring_copies_its_input(rng: np.random.Generator) -> None:
    before = walk_columns(rng)
    kept = {name: values.copy() for name, values in before.items()}
    mirror_paths(before, NAMES, ROW_S, np.ones(3, bool))
    for name, values in kept.items():
        np.testing.assert_array_equal(before[name], values)


def test_windows_of_an_access_point_to_the_side_are_not_mirrored(
    rng: np.random.Generator,
) -> None:
    before = walk_columns(rng)
    before[CENTRE][1] = mirror_column(AreaSettings(ap_position=(0.0, 2.0, 2.5)))
    before[CENTRE][2] = mirror_column(AreaSettings(ap_position=(5.0, 0.1, 2.5)))
    after = mirror_paths(before, NAMES, ROW_S, np.ones(3, bool))
    changed = [bool((after['camera'][row] != before['camera'][row]).any()) for row in range(3)]
    assert changed == [True, False, True]


def test_nothing_is_mirrored_with_a_modality_that_has_no_mirror(
    rng: np.random.Generator,
) -> None:
    before = walk_columns(rng)
    before['lidar'], before['lidar_mask'] = before['ftm'], before['ftm_mask']
    assert mirror_paths(before, (*NAMES, 'lidar'), ROW_S, np.ones(3, bool)) is before


@pytest.mark.parametrize('name', sorted(MIRRORS))
def test_every_mirror_belongs_to_a_modality(name: str) -> None:
    assert modality(name).name == name


def test_access_points_are_lost_where_there_are_others(rng: np.random.Generator) -> None:
    mask = np.ones((COUNT, 3, 5), bool)
    mask[: COUNT // 2, 1:] = False
    kept = mask_access_points(mask, rng)
    assert kept[: COUNT // 2, 0].all()
    several = kept[COUNT // 2:]
    assert (several.all(2) == several.any(2)).all()
    share = 1 - several[..., 0].mean()
    assert share == pytest.approx(augmentation.NO_ACCESS_POINT, abs=0.05)


def test_the_end_of_a_window_is_masked_for_all_access_points_alike(
    rng: np.random.Generator,
) -> None:
    mask = np.ones((COUNT, 3, 12), bool)
    again = np.random.default_rng(rng.bit_generator.seed_seq)
    kept = mask_window_end(mask, 0.5, rng)
    assert (kept == kept[:, :1]).all()
    assert np.array_equal(kept[:, 0], mask_window_end(mask[:, 0], 0.5, again))


def test_the_geometry_of_access_points_is_mirrored_with_the_paths() -> None:
    geometry = np.float32([[[0, 0, 0], [8, 3, 1]], [[0, 0, 0], [8, 3, 1]]])
    columns = {'ftm': np.ones((2, 2, 4, 2), np.float32), CENTRE: np.float32([640, 640]),
               AP_GEOMETRY: geometry}
    mirrored = mirror_paths(columns, ['ftm'], ROW_S, np.array([True, False]))
    assert mirrored[AP_GEOMETRY][:, 1].tolist() == [[8, -3, 1], [8, 3, 1]]
    assert geometry[0, 1, 1] == 3

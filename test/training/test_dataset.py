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

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.dataset import make_examples, mask_uncertain_boxes, merge_windows
from utt_ros.training.settings import LearningSettings
from utt_ros.types import SyncedBatch, Windows

AREA = AreaSettings()


def batch():
    return SyncedBatch(
        stamp_ns=1, epoch=0, sequence=0, camera_tick=True, subjects=('anna', 'bert', 'carl'),
        track_ids=('1', '2', ''), association=np.float32([0.9, 0.89, 0.0]),
        camera=np.ones((3, 5), np.float32) * np.float32([[1], [1], [0]]),
        camera_mask=np.array([True, True, False]), ftm=np.ones((3, 2), np.float32),
        ftm_age_s=np.zeros(3, np.float32), ftm_mask=np.ones(3, bool),
        imu=np.ones((3, 5, 9), np.float32), imu_mask=np.ones((3, 5), bool))


def test_boxes_of_uncertain_association_are_masked() -> None:
    masked = mask_uncertain_boxes(batch(), 0.9)
    assert masked.camera_mask.tolist() == [True, False, False]
    assert masked.camera.sum(1).tolist() == [5.0, 0.0, 0.0]


def test_measurements_of_the_phone_stay_when_a_box_is_masked() -> None:
    masked = mask_uncertain_boxes(batch(), 0.9)
    assert masked.ftm_mask.all()
    assert masked.imu_mask.all()


def test_a_batch_of_certain_boxes_is_returned_as_it_is() -> None:
    certain = replace(batch(), association=np.float32([1.0, 1.0, 0.0]))
    assert mask_uncertain_boxes(certain, 1.0) is certain


def test_by_default_only_boxes_of_nearly_certain_association_are_kept() -> None:
    assert LearningSettings().min_association == 0.9


def test_merged_windows_give_the_examples_of_single_ones(
    walk: Callable[..., Windows], shape: WindowSettings,
) -> None:
    pieces = [walk(AREA, count) for count in (3, 1, 2, 5, 1)]
    merged = list(merge_windows(pieces, 4))
    assert [len(windows) for windows in merged] == [4, 2, 5, 1]
    single = [make_examples(piece, AREA, shape) for piece in pieces]
    several = [make_examples(windows, AREA, shape) for windows in merged]
    for name in single[0]:
        np.testing.assert_array_equal(
            np.concatenate([part[name] for part in single]),
            np.concatenate([part[name] for part in several]), err_msg=name)
    assert not list(merge_windows([], 4))

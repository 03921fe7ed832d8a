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

"""Enumeration of operations."""

from utt_ros.models.operations import (
    describe_lack,
    merges,
    operations,
    splits,
    transfers,
    unique_pairs,
)

THREE = ('camera', 'ftm', 'imu')


def test_three_modalities_allow_twelve_operations_and_nine_decodings() -> None:
    wanted = operations(THREE)
    assert [item.name for item in wanted] == [
        'transfer:camera->ftm', 'transfer:camera->imu', 'transfer:ftm->camera',
        'transfer:ftm->imu', 'transfer:imu->camera', 'transfer:imu->ftm',
        'merge:ftm+imu->camera', 'merge:camera+imu->ftm', 'merge:camera+ftm->imu',
        'split:camera->ftm+imu', 'split:ftm->camera+imu', 'split:imu->camera+ftm',
    ]
    pairs = unique_pairs(wanted)
    assert len(pairs) == 9
    assert [target for _, target in pairs] == ['camera'] * 3 + ['ftm'] * 3 + ['imu'] * 3


def test_order_of_modalities_decides_nothing() -> None:
    assert operations(('imu', 'camera', 'ftm')) == operations(THREE)


def test_two_modalities_allow_transfers_only() -> None:
    assert operations(('ftm', 'imu')) == transfers(('ftm', 'imu'))
    assert operations(('ftm',)) == []


def test_every_subset_of_four_modalities_can_be_merged_and_split() -> None:
    four = (*THREE, 'lidar')
    assert len(merges(four)) == 4
    subsets = {item.name for item in merges(four, subsets=True)}
    assert len(subsets) == 4 * 4  # to each: three pairs and one triple of the others
    assert 'merge:camera+ftm->imu' in subsets
    assert 'merge:camera+ftm+lidar->imu' in subsets
    assert {item.name for item in splits(four, subsets=True)} >= {
        'split:imu->camera+ftm', 'split:imu->camera+ftm+lidar'}


def test_kinds_can_be_chosen() -> None:
    assert {item.kind for item in operations(THREE, ('merge',))} == {'merge'}


def test_lacking_modalities_are_named_with_those_that_there_are() -> None:
    assert describe_lack({'lidar', 'imu', 'camera'}, ('ftm', 'imu')) == (
        'no camera and lidar: it has ftm, imu')
    assert not describe_lack(['ftm'], ('ftm', 'imu'))

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

import numpy as np

from utt_ros.twin.health import SensorHealth
from utt_ros.types import SyncedBatch

ALL = ('imu', 'camera', 'ftm')


def tick(sequence, *, camera=True, ftm=True, imu=True, epoch=0, subjects=('ann',)):
    count = len(subjects)
    return SyncedBatch(
        sequence * 100_000_000, epoch, sequence, camera, subjects, ('',) * count,
        np.zeros(count), np.zeros((count, 5)), np.full(count, camera), np.zeros((count, 2)),
        np.zeros(count), np.full(count, ftm), np.zeros((count, 5, 9)), np.full((count, 5), imu))


def health_after(*ticks):
    health = SensorHealth(ALL)
    for item in ticks:
        health.update(item)
    return health


def test_before_the_first_tick_everything_is_missing():
    health = SensorHealth(ALL)
    assert health.missing() == ['camera', 'ftm', 'imu']
    assert health.summary(0.0, model_ready=True) == 'no tick has arrived yet'


def test_a_silent_sensor_is_missing_only_after_its_limit():
    health = health_after(tick(0), *(tick(k, ftm=False) for k in range(1, 31)))
    assert health.missing() == []
    health.update(tick(31, ftm=False))
    assert health.missing() == ['ftm']
    assert health.summary(0.0, model_ready=True) == (
        'no data from ftm for 3.1 s; positions are based on camera+imu')


def test_a_camera_with_empty_frames_is_not_missing():
    health = health_after(*(tick(k, subjects=()) for k in range(40)))
    assert health.missing() == ['ftm', 'imu']


def test_a_modality_that_the_area_never_had_is_not_missing():
    health = SensorHealth(('ftm', 'imu'))
    for k in range(20):
        health.update(tick(k, camera=False))
    assert health.missing() == []
    assert health.summary(0.0, model_ready=True) == 'all sensors deliver: ftm+imu'


def test_without_any_sensor_positions_are_based_on_memory():
    silent = (tick(k, camera=False, ftm=False, imu=False) for k in range(1, 50))
    health = health_after(tick(0), *silent)
    assert health.summary(0.0, model_ready=True).endswith('positions are based on memory')


def test_a_stalled_synchronizer_is_reported_by_the_nodes_own_clock():
    assert health_after(tick(0)).summary(3.5, model_ready=True) == 'no tick for 3.5 s'


def test_gaps_in_the_sequence_are_counted_but_not_those_between_epochs():
    health = health_after(tick(0), tick(1), tick(5), tick(6), tick(0, epoch=1), tick(2, epoch=1))
    assert (health.ticks, health.lost) == (6, 4)

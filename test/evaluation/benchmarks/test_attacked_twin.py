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

from utt_ros.evaluation.benchmarks.attacked_twin import attack_twin, walking_batches
from utt_ros.settings import WindowSettings

KINDS = ('cut', 'loop on a measurement', 'content in /etc/passwd', 'constant of 15 GB',
         'speed of light')
MAX_SILENT_S = 5.0  # beside other tests; alone it is below 0.5 s


def test_hostile_graphs_are_refused_or_dropped_and_ticks_go_on():
    attacks = attack_twin(KINDS)
    assert [attack.kind for attack in attacks] == list(KINDS)
    for attack in attacks:
        assert attack.reason, attack.kind
        assert 0.0 < attack.silent_s < MAX_SILENT_S
    assert 'is dropped' in attacks[-1].reason


def test_ticks_are_a_period_apart():
    window = WindowSettings()
    batches = walking_batches(window)
    first, second = next(batches), next(batches)
    assert second.stamp_ns - first.stamp_ns == 100_000_000
    assert second.imu.shape == (2, window.imu_rows, 9)

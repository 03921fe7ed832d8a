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

"""The ticks of the benchmark are those of a busy area, and each part of one is measured."""

import numpy as np

from utt_ros.evaluation.benchmarks.tick_cost import PARTS, circling_batches, measure_tick


def test_every_phone_has_every_measurement_and_a_range_at_each_third_tick() -> None:
    batches = list(circling_batches(3, 7))
    assert [batch.sequence for batch in batches if batch.ftm_mask.all()] == [0, 3, 6]
    assert all(batch.camera_mask.all() and batch.imu_mask.all() for batch in batches)
    assert {int(step) for step in np.diff([batch.stamp_ns for batch in batches])} == {10**8}


def test_every_part_of_a_tick_takes_time_and_all_is_their_sum() -> None:
    spent_ms = measure_tick(2, 10)
    assert all(len(values) == 10 and (values >= 0).all() for values in spent_ms.values())
    np.testing.assert_allclose(spent_ms['all'], sum(spent_ms[name] for name in PARTS))
    assert spent_ms['positions'].sum() > 0

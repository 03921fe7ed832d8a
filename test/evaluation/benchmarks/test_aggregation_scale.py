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

"""Costs of a round are measured for any number of areas, and trainers read no names."""

import pytest

from utt_ros.evaluation.benchmarks.aggregation_scale import measure_rounds

pytestmark = pytest.mark.slow


def test_a_round_is_measured_and_its_state_for_trainers_does_not_grow_with_the_areas() -> None:
    few, many = measure_rounds((6, 2))
    assert (few.areas, many.areas) == (2, 6)
    assert few.receive_s > 0 < few.close_s
    assert many.status_bytes > few.status_bytes > few.state_bytes
    assert many.state_bytes == few.state_bytes

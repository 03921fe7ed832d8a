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

"""Memory while strangers invent names; the long form is run by `utt bench faults`."""

from collections import deque

import numpy as np
import pytest

from utt_ros.evaluation.benchmarks.invented_names import count_items, invent_names


@pytest.mark.parametrize('part', ['ftm driver', 'imu driver', 'synchronizer, twin'])
def test_memory_is_flat_under_ten_thousand_invented_names(part: str) -> None:
    report, = invent_names(10_000, (part,))
    assert report.items_before > 100
    assert report.is_flat, report


class Leak:
    def __init__(self) -> None:
        self.kept = [{'name': deque([1, 2])}, np.zeros(7)]


def test_items_of_nested_containers_are_counted() -> None:
    assert count_items(Leak()) == count_items(Leak())
    leak = Leak()
    before = count_items(leak)
    leak.kept[0]['other'] = set(range(50))
    assert count_items(leak) == before + 51

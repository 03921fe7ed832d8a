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

"""Operations of the demonstration are planned for the areas that there are."""

from pathlib import Path

import pytest

from utt_ros.demo.operations_stage import (
    MAX_TUNING_SECONDS,
    MAX_TUNING_WINDOWS,
    plan_demo_operations,
)
from utt_ros.demo.scenes import DemoArea
from utt_ros.settings import AreaSettings

ALL, BLIND = ('camera', 'ftm', 'imu'), ('ftm', 'imu')


def areas(**modalities):
    return [DemoArea(AreaSettings(area=name, modalities=of_area), Path(name), (), ())
            for name, of_area in modalities.items()]


def test_each_kind_of_operation_is_requested_once():
    planned = plan_demo_operations(areas(hall=ALL, yard=ALL, stairs=BLIND))
    assert [(item.kind, item.sources, item.target_areas, item.target_tasks)
            for item in planned] == [
        ('transfer', ('hall_trajectory',), ('stairs',), ('trajectory',)),
        ('split', ('yard_trajectory',), ('yard',), ('position', 'tracking')),
        ('merge', ('hall_trajectory', 'hall_tracking'), ('hall',), ('position',))]
    assert {(item.max_windows, item.max_seconds) for item in planned} == {
        (MAX_TUNING_WINDOWS, MAX_TUNING_SECONDS)}


@pytest.mark.parametrize(('given', 'kinds'), [
    ({'hall': ALL}, ['split', 'merge']),
    ({'hall': ALL, 'stairs': BLIND}, ['transfer', 'split', 'merge']),
    ({'hall': BLIND, 'stairs': ('camera', 'imu')}, []),
])
def test_operations_that_no_area_allows_are_left_out(given, kinds):
    assert [item.kind for item in plan_demo_operations(areas(**given))] == kinds

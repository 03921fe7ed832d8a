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

"""Records of task twins: fields outside their limits are refused by name and value."""

from dataclasses import replace
from math import isnan, nan

import pytest

from utt_ros.errors import TwinError
from utt_ros.task_twins.types import ModelReference, TaskTwin, check_twin, native_id, native_of

TWIN = TaskTwin(
    'hall_position_2', 'hall', 'position', ('camera', 'imu'), operation='merge',
    parents=('hall_tracking', 'hall_trajectory'), nmse={'range_m': 0.25, 'std_m': 0.75})


def test_a_twin_makes_the_modality_of_its_task() -> None:
    assert TWIN.target == 'ftm'
    assert TWIN.mean_nmse == 0.5
    assert isnan(replace(TWIN, nmse={}).mean_nmse)


def test_a_twin_without_a_file_follows_its_area() -> None:
    assert TWIN.follows
    assert not replace(TWIN, model=ModelReference(file='hall_position_2.safetensors')).follows


def test_a_native_twin_reads_its_own_modality() -> None:
    native = TaskTwin(native_id('hall', 'position'), 'hall', 'position', ('ftm',))
    assert native.is_native
    assert check_twin(native) is native


def test_an_id_is_a_ros_name_whatever_the_area_is_called() -> None:
    assert native_id('hall_', 'position') == 'hall_position'


@pytest.mark.parametrize(('twin_id', 'native'), [
    ('hall_2_position', 'hall_2_position'), ('hall_position_12', 'hall_position'),
    ('hall_smell_2', ''), ('position_2', ''), ('2_position', '')])
def test_an_id_names_the_native_twin_of_its_area_and_task(twin_id: str, native: str) -> None:
    assert native_of(twin_id) == native


@pytest.mark.parametrize(('change', 'text'), [
    ({'area': 'the hall'}, "area 'the hall' of a task twin is not a name"),
    ({'task': 'smell'}, "task 'smell' is unknown: it must be one of trajectory, position"),
    ({'id': 'stairs_position_2'}, "'stairs_position_2' must be hall_position or hall_positi"),
    ({'id': 'hall_position_../x'}, 'must be hall_position or'),
    ({'operation': 'guess'}, "operation 'guess' of hall_position_2 is unknown"),
    ({'status': 'idle'}, 'must be one of serving, paused, retired'),
    ({'sources': ()}, 'sources .* must be one or more of camera, ftm, imu'),
    ({'sources': ('imu', 'camera')}, 'sorted'),
    ({'sources': ('camera', 'lidar')}, 'sources'),
    ({'sources': ('camera', 'ftm')}, 'hall_position_2 reads ftm, which it makes'),
    ({'nmse': {'range': 1.0}}, "channel 'range' in nmse of hall_position_2 is unknown"),
    ({'std': {'range_m': nan}}, 'std of range_m of hall_position_2 is nan: it must be finite'),
    ({'windows': -1}, 'windows of hall_position_2 is -1: it must be 0 to 18446744073709551615'),
    ({'created_ns': 2**63}, 'created_ns of hall_position_2 is 9223372036854775808'),
    ({'model': ModelReference(round=2**32)}, 'round of hall_position_2 is 4294967296'),
    ({'parents': ('a"b',)}, 'which hall_position_2 names, is not the id of a task twin'),
    ({'replaces': '../x'}, 'is not the id of a task twin'),
    ({'data_fingerprint': '\x1b[2J'}, 'must have at most 256 printable characters'),
    ({'parents': ('x',) * 65}, 'has 65 parents: at most 64'),
    ({'model': ModelReference(file='../../etc/passwd')}, 'is not the name of a safetensors file'),
])
def test_an_invalid_field_is_refused_by_name(change: dict[str, object], text: str) -> None:
    with pytest.raises(TwinError, match=text):
        check_twin(replace(TWIN, **change))

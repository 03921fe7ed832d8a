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

"""Registry file: round trip, and content that is refused."""

import json
from pathlib import Path

import pytest

from utt_ros.errors import TwinError
from utt_ros.task_twins.registry_file import (
    RegistryState,
    dump_registry,
    dump_twin,
    parse_registry,
    parse_twin,
    read_registry,
    twin_from_content,
)
from utt_ros.task_twins.types import ModelReference, TaskTwin

TWIN = TaskTwin(
    'hall_position_2', 'hall', 'position', ('camera', 'imu'),
    ModelReference('f', 3, 'c' * 64, 'hall_position_2.2.safetensors'), 'merge', ('a', 'b'),
    nmse={'range_m': 0.1}, std={'range_m': 1e-3})
STATE = RegistryState('hall', {TWIN.id: TWIN}, {TWIN.id: (TWIN, TWIN)}, {'position': 2})


def test_a_registry_survives_its_file() -> None:
    assert parse_registry(dump_registry(STATE)) == STATE


def test_files_of_retired_twins_are_not_named() -> None:
    assert STATE.files() == {'hall_position_2.2.safetensors'}


@pytest.mark.parametrize(('path', 'value'), [
    (('format',), 2),
    (('area',), 3),
    (('twins',), []),
    (('twins', TWIN.id, 'windows'), '12'),
    (('twins', TWIN.id, 'windows'), True),
    (('twins', TWIN.id, 'sources'), ['lidar']),
    (('twins', TWIN.id, 'model', 'file'), '../x.safetensors'),
    (('twins', TWIN.id, 'colour'), 'red'),
    (('numbers', 'position'), 1.5),
])
def test_other_content_is_refused(path: tuple[str, ...], value: object) -> None:
    content = json.loads(dump_registry(STATE))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(TwinError, match='cannot be read as a registry of task twins'):
        parse_registry(json.dumps(content).encode())


@pytest.mark.parametrize('data', [b'', b'[]', b'{}', b'null', b'\xff\xfe'])
def test_damaged_content_is_refused(data: bytes) -> None:
    with pytest.raises(TwinError, match='cannot be read as a registry of task twins'):
        parse_registry(data)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match=r'registry.json: there is no such registry'):
        read_registry(tmp_path)


def test_the_record_of_a_twin_is_read_alone() -> None:
    assert twin_from_content(json.loads(dump_registry(STATE))['twins'][TWIN.id]) == TWIN
    with pytest.raises(TwinError, match='it is not the record of a task twin'):
        twin_from_content({'id': 'x'})


def test_one_twin_round_trips_as_text() -> None:
    assert parse_twin(dump_twin(TWIN)) == TWIN
    for text in ('{', '[]', '{"model": {}}'):
        with pytest.raises(TwinError, match='it is not the record of a task twin'):
            parse_twin(text)

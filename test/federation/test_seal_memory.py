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

"""Counters of a receiver: which last, and what a damaged file costs."""

import json
from pathlib import Path

import pytest

from utt_ros.federation.seal_memory import MAX_KEPT_COUNTERS, SealMemory


def test_counters_that_last_are_known_to_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / 'received/hall.twin.json'
    memory = SealMemory(path)
    memory.remember('deployment hall', 7, lasts=True)
    memory.remember('beliefs stairs', 9, lasts=False)
    assert (memory.newest('deployment hall'), memory.newest('beliefs stairs')) == (7, 9)
    again = SealMemory(path)
    assert (again.newest('deployment hall'), again.newest('beliefs stairs')) == (7, 0)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize('content', [
    '', '[', '[1]', '\xff', '{"hall": 7}', '{"counters": 3}', '{"counters": {"hall": 7}}',
    '{"checksum": "", "counters": {"hall": 7}}'])
def test_damaged_file_is_begun_anew(content: str, tmp_path: Path) -> None:
    path = tmp_path / 'twin.json'
    path.write_bytes(content.encode('latin-1'))
    memory = SealMemory(path)
    assert memory.newest('hall') == 0
    memory.remember('hall', 3, lasts=True)
    assert SealMemory(path).newest('hall') == 3


def test_flipped_digit_of_a_counter_does_not_shut_out_its_sender(tmp_path: Path) -> None:
    path = tmp_path / 'twin.json'
    SealMemory(path).remember('hall', 1_700_000_000, lasts=True)
    path.write_bytes(path.read_bytes().replace(b': 17', b': 97'))
    assert SealMemory(path).newest('hall') == 0


def test_the_oldest_counters_are_forgotten_first(tmp_path: Path) -> None:
    memory = SealMemory(tmp_path / 'twin.json')
    memory.remember('first', 1, lasts=True)
    for number in range(MAX_KEPT_COUNTERS):
        memory.remember(f'area{number}', number + 2, lasts=True)
    content = json.loads((tmp_path / 'twin.json').read_bytes())
    assert len(content['counters']) == MAX_KEPT_COUNTERS
    assert (memory.newest('first'), memory.newest('area0')) == (0, 2)


def test_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / 'received').write_bytes(b'')
    memory = SealMemory(tmp_path / 'received/twin.json')
    memory.remember('hall', 3, lasts=True)
    assert memory.newest('hall') == 3


def test_without_a_file_nothing_lasts() -> None:
    memory = SealMemory()
    memory.remember('hall', 3, lasts=True)
    assert (memory.newest('hall'), SealMemory().newest('hall')) == (3, 0)

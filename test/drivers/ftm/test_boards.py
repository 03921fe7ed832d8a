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

"""Boards at pseudo-terminals of another process."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from utt_ros.drivers.ftm.boards import BoardSettings, BoardSource
from utt_ros.drivers.ftm.serial_format import parse_gtec
from utt_ros.errors import SettingsError, SourceError

CAPTURES = Path(__file__).parents[3] / 'docs/sources/captures'
GTEC = (CAPTURES / 'gtec.txt').read_text().splitlines()
WAIT_S = 20.0


def gtec(settings: BoardSettings) -> BoardSource:
    return BoardSource(settings, parse_gtec)


def test_several_boards_are_several_phones_in_all_variants(
        plug_board: Callable, opened: Callable, read: Callable) -> None:
    first, second = plug_board(), plug_board()
    source = opened(gtec(BoardSettings(
        ports=(first.port, second.port), phones=('anna', 'ben'))))
    first.say('', *GTEC[:3])
    second.say('', GTEC[3])
    samples = read(source, lambda samples: len(samples) >= 3)
    assert {(one.phone, one.range_m, one.ap[-2:]) for one in samples} == {
        ('anna', 5.07, '01'), ('anna', 5.12, '01'), ('ben', 6.2, '02')}
    assert all(abs(one.stamp_ns - time.time_ns()) < WAIT_S * 1e9 for one in samples)
    assert source.counters['other_line'] == 1


def test_the_rest_of_a_line_and_garbage_are_refused(
        plug_board: Callable, opened: Callable, read: Callable) -> None:
    board = plug_board()
    source = opened(gtec(BoardSettings(ports=(board.port,), phones=('anna',))))
    board.say(GTEC[1], GTEC[2][:40], r'\x00\xff\xfe\x80', 'x' * 20_000, GTEC[2])
    samples = read(source, bool)
    assert [sample.range_m for sample in samples] == [5.12]
    assert source.counters['malformed'] == 1
    assert source.counters['long_line'] >= 1


def test_a_burst_of_lines_is_read_whole(
        plug_board: Callable, opened: Callable, read: Callable) -> None:
    board = plug_board()
    source = opened(gtec(BoardSettings(ports=(board.port,), phones=('anna',))))
    board.say('', *[GTEC[2].replace('512', str(100 + number)) for number in range(300)])
    samples = read(source, lambda samples: len(samples) >= 300)
    stamps = [sample.stamp_ns for sample in samples]
    assert stamps == sorted(set(stamps))


def test_an_unplugged_board_does_not_stop_the_other(
        plug_board: Callable, opened: Callable, read: Callable) -> None:
    first, second = plug_board(), plug_board()
    source = opened(gtec(BoardSettings(
        ports=(first.port, second.port), phones=('anna', 'ben'))))
    first.unplug()
    second.say('', GTEC[3])
    read(source, lambda samples: samples and 'anna.port' in source.status())
    second.unplug()
    with pytest.raises(SourceError, match='plug the board in'):
        read(source, lambda _: False)


def test_a_silent_board_is_not_an_error(
        plug_board: Callable, opened: Callable, read: Callable) -> None:
    board = plug_board()
    source = opened(gtec(BoardSettings(ports=(board.port,), phones=('anna',))))
    assert source.read(0.01) == []
    board.say('', GTEC[3])
    assert read(source, bool)


def test_a_missing_port_is_an_error_with_the_remedy() -> None:
    source = gtec(BoardSettings(ports=('/dev/there-is-none',), phones=('anna',)))
    with pytest.raises(SourceError, match=r'there-is-none.*dialout'):
        source.open()
    source.close()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match='1 entries and phones 0'):
        BoardSettings(ports=('/dev/ttyUSB0',))
    with pytest.raises(SettingsError, match='ports is empty'):
        gtec(BoardSettings())

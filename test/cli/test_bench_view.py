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

"""Command line and tables of `utt bench view`, with the measurements replaced."""

from contextlib import nullcontext
from typing import Any

import pytest

from utt_ros.cli import bench_view
from utt_ros.cli.bench_view import frames_table, latency_table
from utt_ros.cli.main import main
from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks.view_rig import (
    BROWSER,
    CROWD,
    NO_VIEW,
    NOBODY,
    ONE,
    VIEW,
    FrameCount,
    TwinLatency,
)


def counted(nobody: int, one: int, crowd: int) -> list[FrameCount]:
    return [FrameCount(name, (frames, frames + 1, frames + 1), 1000.0 * frames, 20.0, 80.0, 1.5)
            for name, frames in ((NOBODY, nobody), (ONE, one), (CROWD, crowd))]


def measured(quiet: tuple[float, ...], view: float, browser: float) -> list[TwinLatency]:
    return [TwinLatency(name, {'p50': 2.0, 'p99': tail}, 3.5)
            for name, tails in ((NO_VIEW, quiet), (VIEW, [view]), (BROWSER, [browser]))
            for tail in tails]


def test_frames_and_latency_are_printed_with_the_load(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(bench_view, 'require_extra', lambda _: None)
    monkeypatch.setattr(bench_view, 'open_chromium', nullcontext)
    monkeypatch.setattr(bench_view, 'measure_frames',
                        lambda *args: given.append(args[:-1]) or counted(60, 50, 40))
    latencies = measured((9.0, 11.0), 10.0, 12.0)
    monkeypatch.setattr(bench_view, 'measure_latency',
                        lambda *args, **_: given.append(args[1:]) or latencies)
    assert main(['bench', 'view', '--areas', '4', '--seconds', '5', '--repeats', '2',
                 '--domain', '77']) == 0
    assert given == [(4, 5, 5, 2), (20, 5.0, 2)]
    out = capsys.readouterr().out
    assert 'pass  41 frames/s (at least 20)' in out
    assert 'machine load 1.5 to 3.5' in out
    assert 'a verdict needs a quiet machine' in out


@pytest.mark.parametrize(('one', 'crowd', 'verdict'), [
    (50, 30, 'pass  31 frames/s'),
    (3, 2, 'FAIL  3 frames/s (at least 20); a frame takes Chromium 300 ms of a core, one of one '),
    (3, 2, 'one of one person 218, and the aim leaves 50'),
    (50, 5, 'takes Chromium 141 ms of a core, one of one person 16, and the aim leaves 50')])
def test_a_slow_page_is_told_with_what_a_frame_costs(one: int, crowd: int, verdict: str) -> None:
    *rows, last = frames_table(counted(60, one, crowd))
    assert verdict in last
    cost_ms = 80.0 * 3 * 10 / (3 * crowd + 2)
    assert rows[3].split()[-6:] == [
        f'{crowd + 1}', f'{crowd}', f'{1000 * crowd:,}', '20', '80', f'{cost_ms:.0f}']


def test_a_view_within_the_scatter_of_repeats_passes() -> None:
    *_, view, browser = latency_table(measured((9.0, 11.0), 10.9, 12.0))
    assert view == ('pass  p99 with a view, median: 10.9 ms (at most 11.0, the largest with '
                    'no view)')
    assert browser.startswith('FAIL  p99 with a view and a browser, median: 12.0 ms')


def test_a_turn_without_positions_gives_no_verdict() -> None:
    *rows, view, browser = latency_table(measured((9.0, 11.0), float('nan'), 10.0))
    assert rows[2].split()[-2:] == ['2.0', '-']
    assert view.startswith('none  p99 with a view: in some turns no position has the stamp')
    assert browser.startswith('pass')


def test_a_machine_without_chromium_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse() -> object:
        raise UttError('none of chromium is installed')

    monkeypatch.setattr(bench_view, 'require_extra', lambda _: None)
    monkeypatch.setattr(bench_view, 'open_chromium', refuse)
    assert main(['bench', 'view']) == 2
    assert 'utt bench: none of chromium is installed' in capsys.readouterr().err


def test_wrong_arguments_are_refused_with_their_limits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['bench', 'view', '--areas', '0']) == 2
    assert '--areas is 0: it must be within 1..100' in capsys.readouterr().err

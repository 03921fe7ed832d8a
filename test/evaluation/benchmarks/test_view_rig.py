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

"""Frames belong to the turn in which they were published; a view that does not start is told."""

import sys

import numpy as np
import pytest

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import view_rig
from utt_ros.evaluation.benchmarks.latency import OUTPUTS
from utt_ros.evaluation.benchmarks.view_rig import (
    BROWSER,
    NO_VIEW,
    latency_by_turn,
    open_view,
)
from utt_ros.types import NS_PER_MS, NS_PER_S


def test_each_turn_has_the_latency_of_its_own_frames() -> None:
    ticks_ns = np.arange(40, dtype=np.int64) * NS_PER_S // 10 + NS_PER_S
    late_ms = np.where(ticks_ns < 3 * NS_PER_S, 5, 9)
    position = np.full(len(ticks_ns), OUTPUTS.index('position'))
    records = np.stack([np.zeros_like(ticks_ns), position, ticks_ns,
                        ticks_ns + late_ms * NS_PER_MS], axis=1)
    quiet, watched = latency_by_turn(
        [(NO_VIEW, NS_PER_S, 3 * NS_PER_S, 0.5), (BROWSER, 3 * NS_PER_S, 5 * NS_PER_S, 1.5)],
        ticks_ns, records, 1)
    assert (quiet.beside, quiet.position_ms['p99'], quiet.load) == (NO_VIEW, 5.0, 0.5)
    assert (watched.beside, watched.position_ms['p50'], watched.load) == (BROWSER, 9.0, 1.5)


@pytest.mark.parametrize(('command', 'limit_s'), [
    ('pass', 60.0), ('import signal; signal.pause()', 0.1)])
def test_a_view_without_an_address_is_an_error(
    command: str, limit_s: float, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(view_rig, 'UTT_PROGRAM', (sys.executable, '-c', command))
    monkeypatch.setattr(view_rig, 'READY_SEC', limit_s)
    with pytest.raises(UttError, match=f'gave no address within {limit_s:g} s'), open_view():
        pass

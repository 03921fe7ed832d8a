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

"""Console of ESP-IDF's example on boards at pseudo-terminals of another process."""

import time
from collections.abc import Callable

import pytest

from utt_ros.drivers.ftm.esp_idf import ENTRY, ConsoleSettings
from utt_ros.drivers.types import FtmSample
from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings

LINE = 'I ({ms}) ftm_station: Estimated RTT - 33 nSec, Estimated Distance - 5.07 meters'
AP = '02:00:00:00:00:01'


def test_the_command_is_sent_and_its_measurement_read(
    plug_board: Callable, opened: Callable, read: Callable,
) -> None:
    board = plug_board()
    board.say('!command', '', LINE)
    source = opened(ENTRY.make(ConsoleSettings(
        ports=(board.port,), phones=('anna',), ap=AP, command='ftm -I -s hall', period=0.05),
        AreaSettings()))
    begin_ns = time.time_ns()
    (sample,) = read(source, bool)
    assert board.hear() == 'got ftm -I -s hall'
    assert (sample.phone, sample.range_m, sample.ap) == ('anna', 5.07, AP)
    assert begin_ns - 10**8 < sample.stamp_ns < time.time_ns()
    assert 'anna.offset_s' in source.status()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match='1 entries and phones 0'):
        ConsoleSettings(ports=('/dev/ttyUSB0',))
    with pytest.raises(SettingsError, match='ap is'):
        ConsoleSettings(ap='home')
    with pytest.raises(SettingsError, match='one line'):
        ConsoleSettings(command='ftm\nrm')


def test_a_board_clock_that_drifts_or_restarts_is_followed() -> None:
    source = ENTRY.make(
        ConsoleSettings(ports=('/dev/none',), phones=('anna',), ap=AP), AreaSettings())
    begin_ns, errors = 1_790_000_000_000_000_000, []

    def receive(host_s: float, boot_s: float) -> list[FtmSample]:
        arrival_ns = begin_ns + round((host_s + 0.004) * 1e9)
        return source._take('anna', LINE.replace('{ms}', str(round(boot_s * 1000))), arrival_ns)

    for step in range(240):  # two minutes; three days since it was plugged in
        host_s = step / 2
        for sample in receive(host_s, 259_200 + host_s * (1 + 100e-6)):
            errors.append((sample.stamp_ns - begin_ns) / 1e9 - host_s)  # noqa: PERF401
    assert len(errors) == 240
    assert max(map(abs, errors)) < 0.02
    again = [receive(130 + step / 2, 3 + step / 2) for step in range(20)]
    assert source.counters['other_clock'] in range(3, 7)  # two seconds
    assert abs(again[-1][0].stamp_ns - begin_ns - 139.5e9) < 0.02e9

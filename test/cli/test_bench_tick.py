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

"""`utt bench tick` prints the computing time of each part."""

import pytest

from utt_ros.cli.main import main
from utt_ros.evaluation.benchmarks.tick_cost import PARTS

pytestmark = pytest.mark.slow


def test_each_part_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['bench', 'tick', '--phones', '2', '--ticks', '10']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split('  ')[0] for line in lines[1:-1]] == [
        *PARTS, 'all', 'all, and synthesized IMU']
    assert lines[-1].startswith('2 phones, 10 ticks, machine load ')


@pytest.mark.parametrize('arguments', [['--phones', '0'], ['--ticks', '9']])
def test_a_number_outside_its_limits_is_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str],
) -> None:
    assert main(['bench', 'tick', *arguments]) == 2
    assert f'{arguments[0]} is {arguments[1]}: it must be within' in capsys.readouterr().err

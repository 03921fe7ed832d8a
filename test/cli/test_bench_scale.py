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

"""`utt bench scale` prints a row per number of areas, and how costs grow."""

import pytest

from utt_ros.cli.main import main

pytestmark = pytest.mark.slow


def test_each_number_of_areas_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['bench', 'scale', '--areas', '3', '1']) == 0
    _, first, second, growth, load = capsys.readouterr().out.splitlines()
    assert (first.split()[0], second.split()[0]) == ('1', '3')
    assert growth.startswith('1 -> 3 areas, exponent: receive ')
    assert load.startswith('machine load ')


def test_a_number_outside_its_limits_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['bench', 'scale', '--areas', '4', '0']) == 2
    assert '--areas has 0: it must be within 1..1024' in capsys.readouterr().err

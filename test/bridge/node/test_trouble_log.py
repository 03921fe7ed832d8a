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

from utt_ros.bridge.node.trouble_log import REPEAT_S, TroubleLog


def test_a_trouble_is_logged_at_once_and_repeated_while_it_lasts() -> None:
    lines: list[str] = []
    log = TroubleLog(lines.append)
    for second in range(130):
        log.report('state', f'silent for {second} s', float(second))
    assert lines == ['silent for 0 s', 'silent for 60 s', 'silent for 120 s']


def test_another_trouble_is_logged_at_once_and_none_is_not() -> None:
    lines: list[str] = []
    log = TroubleLog(lines.append)
    for second, text in enumerate(['no port', '', 'no port', 'no rights', 'no port']):
        log.report('state', text, float(second))
    assert lines == ['no port', 'no rights', 'no port']


def test_a_refusal_is_repeated_only_while_it_is_counted() -> None:
    lines: list[str] = []
    log = TroubleLog(lines.append)
    for second, count in ((0.0, 1), (1.0, 9), (2 * REPEAT_S, 9), (3 * REPEAT_S, 9)):
        log.report('input', 'encoding is 64FC1', second, count)
    assert len(lines) == 2
    log.report('input', 'encoding is 64FC1', 4 * REPEAT_S, 10)
    assert len(lines) == 3

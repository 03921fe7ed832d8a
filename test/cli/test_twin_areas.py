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

"""Arguments with which a command finds running areas."""

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(('words', 'variables', 'complaint'), [
    (['--wait', '0'], {}, '--wait is 0: it must be more than 0 s'),
    (['--wait', 'nan'], {}, '--wait is nan'),
    (['--hosts', 'a b'], {}, "hosts has 'a b': names or addresses, separated by commas"),
    ([], {'ROS_DOMAIN_ID': 'robot'}, "ROS_DOMAIN_ID is 'robot'"),
    ([], {'RMW_IMPLEMENTATION': 'rmw_none'}, "RMW_IMPLEMENTATION is 'rmw_none'")])
def test_what_finds_no_area_is_refused_in_one_sentence(
    words: list[str], variables: dict[str, str], complaint: str, utt: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = utt('twins', 'list', *words)
    assert (done.code, done.out, done.err.count('\n')) == (2, '', 1)
    assert done.err.startswith(f'utt twins: {complaint}')

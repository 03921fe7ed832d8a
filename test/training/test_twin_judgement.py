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

"""Judgement of made twins on held-out windows, and their limit."""

from collections.abc import Callable
from typing import Any

import pytest

from utt_ros.errors import TwinError


def test_without_held_out_windows_there_is_nothing_to_judge_on(
    build_trainer: Callable[..., Any],
) -> None:
    hall = build_trainer('hall', windows=0)
    with pytest.raises(TwinError, match='no data to judge on: hall holds no windows out that'):
        hall.run('transfer', 'hall_position', target_tasks=('trajectory',))


def test_result_beyond_its_limit_is_not_put_in_service(build_trainer: Callable[..., Any]) -> None:
    hall = build_trainer('hall')
    before = hall.state()
    with pytest.raises(TwinError, match=r'trajectory from ftm has NMSE_var \d.* on 50 windows: '
                       'max_nmse is 0.001, so it is not put in service'):
        hall.run('transfer', 'hall_position', target_tasks=('trajectory',), max_windows=80,
                 max_nmse=0.001)
    assert hall.state() == before

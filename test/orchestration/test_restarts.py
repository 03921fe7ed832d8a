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
"""Restarts and retries as functions of deaths, without processes."""

import pytest

from utt_ros.orchestration.restarts import (
    MAX_RETRY_SEC,
    RestartBackoff,
    RestartPolicy,
    RetryBackoff,
    describe_exit,
)

UNITS = {'hall/sync': 'hall', 'hall/twin': 'hall', 'stairs/twin': 'stairs'}


def test_fifth_death_within_a_minute_stops_the_unit_and_a_retry_follows() -> None:
    policy = RestartPolicy(UNITS)
    for number in range(4):
        consequence = policy.exit('hall/sync', 1, 5.0 * number)
        assert consequence.restart_sec == 0.1 * 2 ** number
        assert not policy.down
    consequence = policy.exit('hall/sync', -9, 20.0)
    assert (consequence.stop, consequence.retry_sec) == (('hall/sync', 'hall/twin'), 30.0)
    assert consequence.text == (
        'hall/sync was ended by SIGKILL; it ended 5 times in 60 s: '
        'hall is stopped and started again in 30 s')
    assert set(policy.down) == {'hall'}
    assert not policy.ended
    policy.started('hall/twin')
    assert not policy.down
    assert policy.exit('hall/sync', 1, 51.0).restart_sec == 0.1


def test_unit_that_refuses_its_settings_is_not_started_again() -> None:
    policy = RestartPolicy(UNITS)
    consequence = policy.exit('hall/twin', 2, 0.0)
    assert (consequence.stop, consequence.retry_sec) == (('hall/sync', 'hall/twin'), None)
    assert policy.ended == {'hall'}
    assert policy.down == {'hall': 'hall/twin ended with exit code 2'}


def test_retries_double_up_to_their_limit() -> None:
    backoff, now_s, delays = RetryBackoff(), 0.0, []
    for _ in range(7):
        delays.append(backoff.delay(now_s))
        now_s += delays[-1] + 8.0
    assert delays == [30.0, 60.0, 120.0, 240.0, 480.0, MAX_RETRY_SEC, MAX_RETRY_SEC]


def test_retries_begin_anew_after_an_undisturbed_time() -> None:
    backoff = RetryBackoff(first_sec=30.0, max_sec=100.0)
    assert [backoff.delay(now_s) for now_s in (0.0, 35.0, 195.0)] == [30.0, 60.0, 30.0]


def test_backoff_doubles_and_ends_at_its_limit() -> None:
    backoff = RestartBackoff(first_sec=0.5, limit=4, window_sec=60.0)
    assert [backoff.delay(now_s) for now_s in (0.0, 1.0, 3.0, 7.0)] == [0.5, 1.0, 2.0, None]


def test_backoff_ignores_deaths_before_its_window() -> None:
    backoff = RestartBackoff(first_sec=0.5, limit=2, window_sec=60.0)
    assert [backoff.delay(now_s) for now_s in (0.0, 61.0, 122.0)] == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(('code', 'text'), [
    (0, 'ended by itself'), (3, 'ended with exit code 3'),
    (-9, 'was ended by SIGKILL'), (-99, 'was ended by signal 99'),
])
def test_end_of_a_process_is_described(code: int, text: str) -> None:
    assert describe_exit(code) == text

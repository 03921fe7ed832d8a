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

"""Thread of a client: start, requests, errors and end."""

from collections.abc import Callable
from threading import Event, current_thread
from typing import Any

import pytest

from utt_ros.errors import UttError
from utt_ros.training.training_inbox import TrainingInbox
from utt_ros.training.training_thread import TrainingThread


class Counter:
    """Stand-in of a client that counts steps; `error` is raised by the next one."""

    def __init__(self) -> None:
        self.inbox = TrainingInbox()
        self.resumed = self.steps = 0
        self.current = None
        self.error: Exception | None = None

    def resume(self) -> list[str]:
        self.resumed += 1
        return ['resumed']

    def step(self, wait_sec: float) -> list[str]:
        if self.error is not None:
            raise self.error
        self.inbox.serve_requests()
        self.inbox.take(wait_sec)
        self.steps += 1
        return [f'step {self.steps}']


@pytest.fixture
def client() -> Counter:
    return Counter()


def test_thread_resumes_once_and_steps_until_it_is_closed(
    client: Any, wait_until: Callable[..., None],
) -> None:
    events: list[object] = []
    thread = TrainingThread(client, events.extend)
    assert not events
    thread.start()
    thread.start()
    wait_until(lambda: client.steps >= 2)
    thread.close()
    assert events[:2] == ['resumed', 'step 1']
    assert client.resumed == 1
    ended = client.steps
    assert not events[ended + 1:]
    thread.check()


def test_request_is_carried_out_in_the_thread(client: Any) -> None:
    thread = TrainingThread(client, lambda _: None)
    thread.start()
    assert client.inbox.put_request(lambda: current_thread().name).result(10.0) == 'training'
    thread.close()


def test_error_that_ends_the_thread_is_raised_by_check(
    client: Any, wait_until: Callable[..., None],
) -> None:
    client.error = RuntimeError('out of memory')
    thread = TrainingThread(client, lambda _: None)
    thread.start()

    def is_failed() -> bool:
        try:
            thread.check()
        except UttError as err:
            return 'out of memory' in str(err)
        return False

    wait_until(is_failed)
    thread.close()


def test_thread_that_never_began_is_closed_at_once(client: Any) -> None:
    TrainingThread(client, lambda _: None).close()
    assert client.resumed == 0


def test_step_that_takes_long_does_not_hold_up_the_end(
    client: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('utt_ros.training.training_thread.JOIN_SEC', 0.05)
    goes_on, began = Event(), Event()
    client.step = lambda _: (began.set(), goes_on.wait(30.0))[:0]
    thread = TrainingThread(client, lambda _: None)
    thread.start()
    assert began.wait(30.0)
    thread.close()
    assert not goes_on.is_set()
    goes_on.set()


def test_request_is_carried_out_while_others_get_their_share(client: Any) -> None:
    class Busy:
        """A runner on a machine that is busy for ever."""

        def run(self, action: Callable[[], Any], *, free: bool) -> Any:
            return action()

        def pause_sec(self) -> float:
            return 3600.0

        def hurry(self) -> None: ...
        def close(self) -> None: ...

    thread = TrainingThread(client, lambda _: None, runner=Busy())
    thread.start()
    assert client.inbox.put_request(lambda: 'first').result(30.0) == 'first'
    assert client.inbox.put_request(lambda: 'second').result(30.0) == 'second'
    thread.close()
    assert client.steps <= 1

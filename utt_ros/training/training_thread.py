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

"""Thread of a federated client, so that callbacks of a node never wait for training."""

from collections.abc import Callable, Sequence
from threading import Event, Thread

from utt_ros.errors import UttError
from utt_ros.training.client import ClientEvent, FederatedClient
from utt_ros.training.trainer import use_one_thread
from utt_ros.training.yielding_runner import YieldingRunner

STEP_WAIT_SEC = 0.2
JOIN_SEC = 1.0


class TrainingThread:
    """Steps a client until `close` and passes its events on.

    The first model is made at normal priority; see YieldingRunner for what follows.
    """

    def __init__(
        self, client: FederatedClient, publish: Callable[[Sequence[ClientEvent]], None],
        chores: Callable[[], bool] = lambda: False, runner: YieldingRunner | None = None,
    ) -> None:
        """`chores` are done before each step; they return whether more can be done at once."""
        self._client, self._publish, self._chores = client, publish, chores
        self._runner = runner or YieldingRunner()
        self._stop = Event()
        self._failure: Exception | None = None
        self._thread = Thread(target=self._work, name='training')

    def start(self) -> None:
        """Resume the client's state and begin; without effect when it has begun."""
        if self._thread.ident is None:
            self._thread.start()

    def check(self) -> None:
        """Raise UttError with the error that ended the thread, if one has."""
        if self._failure is not None:
            raise UttError(f'training ended: {self._failure!r}') from self._failure

    def close(self) -> None:
        """End after the current step. A step that takes longer than JOIN_SEC is left running."""
        self._stop.set()
        self._runner.hurry()
        if self._thread.ident is not None:
            self._thread.join(JOIN_SEC)

    def _work(self) -> None:
        use_one_thread()
        try:
            self._publish(self._run(self._client.resume))
            while not self._stop.is_set():
                self._publish(self._run(self._step))
                self._pause()
        except Exception as err:  # noqa: BLE001 - any error must be reported and end the node
            self._failure = err
        finally:
            self._runner.close()

    def _pause(self) -> None:
        """Leave others their share of the processor; requests are carried out meanwhile."""
        inbox = self._client.inbox
        while not self._stop.is_set() and (pause_sec := self._runner.pause_sec()) > 0.0:
            if inbox.await_request(min(pause_sec, STEP_WAIT_SEC)):
                inbox.serve_requests()

    def _run(self, action: Callable[[], Sequence[ClientEvent]]) -> Sequence[ClientEvent]:
        return self._runner.run(action, free=self._client.current is None)

    def _step(self) -> Sequence[ClientEvent]:
        return self._client.step(0.0 if self._chores() else STEP_WAIT_SEC)

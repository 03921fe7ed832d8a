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

"""Models in service of an engine: the newest evaluates while the filter runs, the last good waits.

An evaluation runs in a thread of its own and is waited for a limited time. A model that computes
for too long, or gives nothing plausible, is dropped in favour of the last good one.
"""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Protocol

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.twin.onnx_model import ModelOutput
from utt_ros.twin.output_limits import plausible_outputs
from utt_ros.types import FloatArray, MaskArray, Windows

MAX_WAIT_S = 0.3  # of a tick for its evaluation; it goes on without a model then
MAX_COMPUTING_S = 0.25  # of an evaluation; while its thread is not scheduled no time passes
MAX_BAD_TICKS = 5  # in succession, after which a model is dropped

Evaluation = Callable[[], ModelOutput]


class ServableModel(Protocol):
    """A model that an engine evaluates, such as an `OnnxModel`."""

    def prepare(self, windows: Windows, context: FloatArray) -> Evaluation: ...
    def stop(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Served:
    model: ServableModel
    round: int | None
    is_proven: bool = False  # it gave plausible outputs
    bad_ticks: int = 0  # in succession; ticks without an answer in time do not count


@dataclass(slots=True)
class PendingOutput:
    """An evaluation under way."""

    future: 'Future[ModelOutput]'
    served: _Served
    begin_s: float  # computing time of the thread at its begin
    is_late: bool = False


class ModelService:
    """Evaluates the model in service. For one thread; `deploy` may be called from any."""

    def __init__(self, horizon_s: FloatArray) -> None:
        """`horizon_s` (H,): times of the predicted trajectory."""
        self._horizon_s = horizon_s
        self._incoming: deque[_Served] = deque(maxlen=1)
        self._serving: _Served | None = None
        self._standby: _Served | None = None  # the last good one
        self._thread = _EvaluationThread()
        self._pending: PendingOutput | None = None
        self.failures = 0  # ticks at which the model gave no usable output
        self.implausible = 0  # subjects times ticks whose outputs were not used
        self.dropped = 0  # models
        self.failure = ''

    @property
    def round(self) -> int | None:
        """Round of the model of the next tick; None without one, or for one without a round."""
        served = next(iter(self._incoming), self._serving)
        return None if served is None else served.round

    def deploy(self, model: ServableModel, round_: int | None = None) -> None:
        """Use another model from the next tick on."""
        self._incoming.append(_Served(model, round_))

    def submit(self, windows: Windows, context: FloatArray) -> PendingOutput | None:
        """Start an evaluation. None without a model or subjects, or while one does not end."""
        if self._incoming:
            if self._serving is not None and self._serving.is_proven:
                self._standby = self._serving
            self._serving = self._incoming.popleft()
        if not self._is_free() or self._serving is None or not windows.subjects:
            return None
        try:
            work = self._serving.model.prepare(windows, context)
        except ModelError as err:
            self._fail(self._serving, str(err))
            return None
        begin_s = self._thread.computing_s()
        self._pending = PendingOutput(self._thread.submit(work), self._serving, begin_s)
        return self._pending

    def await_output(self, pending: PendingOutput | None) -> ModelOutput | None:
        """Wait for an evaluation, not longer than MAX_WAIT_S; None where it is not usable."""
        if pending is None:
            return None
        try:
            output = pending.future.result(0.0 if pending.is_late else MAX_WAIT_S)
        except FutureTimeoutError:
            pending.is_late = True
            self.failures += 1
            self.failure = f'no answer within {MAX_WAIT_S:g} s'
            return None  # no fault of the model, unless it computes: see _is_free
        except ModelError as err:
            self._fail(pending.served, str(err))
            return None
        plausible = plausible_outputs(output, self._horizon_s)
        if plausible.all():
            pending.served.is_proven, pending.served.bad_ticks = True, 0
            return output
        self.implausible += int(np.sum(~plausible))
        if not plausible.any():
            self._fail(pending.served, 'its predictions are beyond physical limits')
            return None
        pending.served.bad_ticks = 0
        return _without(output, plausible)

    def _is_free(self) -> bool:
        """Return whether an evaluation can start; drop a model that computes without end."""
        pending = self._pending
        if pending is None or pending.future.done():
            return True
        if not pending.is_late:  # of a tick that was never predicted
            self.await_output(pending)
            if pending.future.done():
                return True
        computed_s = self._thread.computing_s() - pending.begin_s
        is_wanted = pending.served in (self._serving, self._standby)
        if is_wanted and computed_s < MAX_COMPUTING_S:
            self.failures += 1
            return False  # the machine is busy, or a single call takes long
        self._abandon(pending)
        if pending.served is self._serving:
            self._drop(f'it computed for {computed_s:.2f} s')
        elif pending.served is self._standby:
            self._standby = None  # a stopped model evaluates no more
        return True

    def _abandon(self, pending: PendingOutput) -> None:
        """Go on with another thread: nothing can end this one but the evaluation itself."""
        pending.served.model.stop()
        self._thread.end()
        self._thread, self._pending = _EvaluationThread(), None

    def _fail(self, served: _Served, reason: str) -> None:
        self.failures += 1
        self.failure = reason
        served.bad_ticks += 1
        if (served is self._serving and served.bad_ticks >= MAX_BAD_TICKS
                and self._standby is not None and not self._is_evaluating()):
            self._drop(reason)

    def _is_evaluating(self) -> bool:
        return self._pending is not None and not self._pending.future.done()

    def _drop(self, reason: str) -> None:
        dropped, self._serving, self._standby = self._serving, self._standby, None
        self.dropped += 1
        self.failure = (f'the model of round {dropped.round if dropped else None} is dropped: '
                        f'{reason}')


class _EvaluationThread:
    """Thread that evaluates; it does not keep the process alive."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[ModelOutput], Evaluation] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name='model', daemon=True)
        self._thread.start()
        self._clock = time.pthread_getcpuclockid(self._thread.ident or 0)

    def submit(self, work: Evaluation) -> 'Future[ModelOutput]':
        future: Future[ModelOutput] = Future()
        self._jobs.put((future, work))
        return future

    def computing_s(self) -> float:
        """Return the time for which the thread has computed."""
        return time.clock_gettime(self._clock)

    def end(self) -> None:
        """End after the evaluation under way."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, work = job
            try:
                future.set_result(work())
            except BaseException as err:  # noqa: BLE001 - raised where it is awaited
                future.set_exception(err)


def _without(output: ModelOutput, plausible: MaskArray) -> ModelOutput:
    """Return the outputs with NaN, and without gait, for subjects that are not plausible."""
    parts = {}
    for name in ('velocity', 'velocity_std', 'future', 'future_std', 'imu', 'cadence', 'swing'):
        values = getattr(output, name).copy()
        values[~plausible] = 0.0 if name in ('cadence', 'swing') else np.nan
        parts[name] = values
    return ModelOutput(**parts)

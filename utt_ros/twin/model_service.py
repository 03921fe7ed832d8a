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

"""Models in service of an engine: the newest one evaluates, the last good one stands by.

Motion and the synthesized IMU are evaluated one after the other, in a thread of their own, and are
waited for a limited time. A model that computes for too long, or gives nothing plausible, is
dropped in favour of the last good one.
"""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field, fields, replace
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.twin.onnx_model import ImuOutput, MotionOutput
from utt_ros.twin.output_limits import plausible_imu, plausible_motion
from utt_ros.types import FloatArray, MaskArray, Windows

MAX_WAIT_S = 0.3  # of a tick for its evaluation; it goes on without a model then
REPLAY_WAIT_S = 60.0  # the same for a replay, whose results must not depend on the load
MAX_COMPUTING_S = 0.25  # of an evaluation; while its thread is not scheduled no time passes
MAX_BAD_TICKS = 5  # in succession, after which a model is dropped

_Output = TypeVar('_Output', MotionOutput, ImuOutput)
Conversion = Callable[[Windows], Windows]


class ServableModel(Protocol):
    """A model that an engine evaluates, such as an `OnnxModel`."""

    def prepare_motion(self, context: FloatArray) -> Callable[[], MotionOutput]: ...
    def prepare_imu(
        self, windows: Windows, context: FloatArray, as_read: Conversion,
    ) -> Callable[[], ImuOutput]: ...
    def stop(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Served:
    model: ServableModel
    round: int | None
    is_proven: bool = False  # it gave plausible outputs
    # in succession, by type of output; ticks without an answer in time do not count
    bad_ticks: dict[type, int] = field(default_factory=lambda: {MotionOutput: 0, ImuOutput: 0})


@dataclass(slots=True)
class PendingOutput:
    """Evaluations of a tick under way: motion first, then the IMU where it is wanted."""

    motion: 'Future[MotionOutput]'
    served: _Served
    begin_s: float  # computing time of the thread at their begin
    deadline_s: float  # until which the tick waits for all of them, time.monotonic
    imu: 'Future[ImuOutput] | None' = None
    is_late: bool = False
    is_refused: bool = False
    is_plausible: bool = True  # as far as it is known

    @property
    def last(self) -> 'Future[Any]':
        """The evaluation that ends last."""
        return self.motion if self.imu is None else self.imu


class ModelService:
    """Evaluates the model in service. For one thread; `deploy` may be called from any."""

    def __init__(self, horizon_s: FloatArray, max_wait_s: float = MAX_WAIT_S) -> None:
        """`horizon_s` (H,): times of the predicted trajectory.

        A tick waits `max_wait_s` for its evaluation.
        """
        self._horizon_s, self._max_wait_s = horizon_s, max_wait_s
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

    def submit(self, context: FloatArray) -> PendingOutput | None:
        """Start the evaluation of motion from the context (S, C) of subjects.

        None without a model or subjects, or while an evaluation does not end.
        """
        if self._incoming:
            if self._serving is not None and self._serving.is_proven:
                self._standby = self._serving
            self._serving = self._incoming.popleft()
        if not self._is_free() or self._serving is None or not len(context):
            return None
        try:
            work = self._serving.model.prepare_motion(context)
        except ModelError as err:
            self._fail(self._serving, MotionOutput, str(err))
            return None
        begin_s = self._thread.computing_s()
        self._pending = PendingOutput(
            self._thread.submit(work), self._serving, begin_s,
            time.monotonic() + self._max_wait_s)
        return self._pending

    def submit_imu(
        self, pending: PendingOutput | None, windows: Windows, context: FloatArray,
        as_read: Conversion,
    ) -> None:
        """Start the evaluation of the IMU of W subjects, from windows and context (W, C), as well.

        `as_read` converts windows to those that models read, see `OnnxModel.prepare_imu`.
        """
        if pending is None or not windows.subjects:
            return
        try:
            work = pending.served.model.prepare_imu(windows, context, as_read)
        except ModelError as err:
            self._fail(pending.served, ImuOutput, str(err))
        else:
            pending.imu = self._thread.submit(work)

    def await_motion(self, pending: PendingOutput | None) -> MotionOutput | None:
        """Wait for motion, at most `max_wait_s` since `submit`; None if it is not usable."""
        if pending is None:
            return None
        return self._await(pending, pending.motion, MotionOutput, self._plausible_motion)

    def await_imu(self, pending: PendingOutput | None) -> ImuOutput | None:
        """Wait for the IMU, after `await_motion`; None also where motion was not usable."""
        if pending is None or pending.imu is None or pending.is_late or pending.is_refused:
            return None
        return self._await(pending, pending.imu, ImuOutput, plausible_imu)

    def _await(
        self, pending: PendingOutput, future: 'Future[_Output]', kind: type[_Output],
        judge: Callable[[_Output], MaskArray],
    ) -> _Output | None:
        try:
            left_s = 0.0 if pending.is_late else max(pending.deadline_s - time.monotonic(), 0.0)
            output = future.result(left_s)
        except FutureTimeoutError:
            self._mark_late(pending)
            return None  # no fault of the model, unless it computes: see _is_free
        except ModelError as err:
            self._refuse(pending, kind, str(err))
            return None
        plausible = judge(output)
        if not plausible.all():
            self.implausible += int(np.sum(~plausible))
            pending.is_plausible = False
        if not plausible.any():
            self._refuse(pending, kind, 'its predictions are beyond physical limits')
            return None
        pending.served.bad_ticks[kind] = 0
        if pending.is_plausible and future is pending.last:
            pending.served.is_proven = True
        return output if plausible.all() else _without(output, plausible)

    def _plausible_motion(self, output: MotionOutput) -> MaskArray:
        return plausible_motion(output, self._horizon_s)

    def _mark_late(self, pending: PendingOutput) -> None:
        pending.is_late = True
        self.failures += 1
        self.failure = f'no answer within {self._max_wait_s:g} s'

    def _refuse(self, pending: PendingOutput, kind: type, reason: str) -> None:
        """Count an output that is not usable, after the evaluations of its tick."""
        pending.is_refused = True
        wait([pending.last], self._max_wait_s)  # a model is not dropped while it evaluates
        self._fail(pending.served, kind, reason)

    def _is_free(self) -> bool:
        """Return whether an evaluation can start; drop a model that computes without end."""
        pending = self._pending
        if pending is None or pending.last.done():
            return True
        if not pending.is_late:  # of a tick that was never predicted
            if wait([pending.last], self._max_wait_s).done:
                return True
            self._mark_late(pending)
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

    def _fail(self, served: _Served, kind: type, reason: str) -> None:
        self.failures += 1
        self.failure = reason
        served.bad_ticks[kind] += 1
        if (served is self._serving and served.bad_ticks[kind] >= MAX_BAD_TICKS
                and self._standby is not None and not self._is_evaluating()):
            self._drop(reason)

    def _is_evaluating(self) -> bool:
        return self._pending is not None and not self._pending.last.done()

    def _drop(self, reason: str) -> None:
        dropped, self._serving, self._standby = self._serving, self._standby, None
        self.dropped += 1
        self.failure = (f'the model of round {dropped.round if dropped else None} is dropped: '
                        f'{reason}')


class _EvaluationThread:
    """Thread that evaluates; it does not keep the process alive."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name='model', daemon=True)
        self._thread.start()
        self._clock = time.pthread_getcpuclockid(self._thread.ident or 0)

    def submit(self, work: Callable[[], _Output]) -> 'Future[_Output]':
        future: Future[_Output] = Future()
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


def _without(output: _Output, plausible: MaskArray) -> _Output:
    """Return the outputs with NaN, and without gait, for subjects that are not plausible."""
    parts = {}
    for name in (item.name for item in fields(output)):
        parts[name] = getattr(output, name).copy()
        parts[name][~plausible] = 0.0 if name in ('cadence', 'swing') else np.nan
    return replace(output, **parts)

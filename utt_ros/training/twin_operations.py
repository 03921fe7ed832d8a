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

"""Transfer, merge and split in a running area: one at a time, in slices between other work.

Nothing is written before the last phase. There, made twins of other areas are handed over first;
what they have adopted is withdrawn when another part of the operation fails.
"""

from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Protocol, TypeVar

from utt_ros.errors import TwinError, UttError
from utt_ros.federation.types import TwinHandover
from utt_ros.federation.wire import pack
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.task_twins.operation_request import (
    OperationOutcome,
    OperationProgress,
    OperationRequest,
)
from utt_ros.task_twins.registry_file import dump_twin
from utt_ros.task_twins.running_operation import RunningOperation
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.client import FederatedClient
from utt_ros.training.operation_plan import OperationPlan, plan_operation
from utt_ros.training.operation_work import MadeModel, make_model
from utt_ros.training.settings import LearningSettings
from utt_ros.training.twin_models import TwinModel, TwinModels, model_writer

SLICE_SEC = 0.1
T = TypeVar('T')
Steps = Generator[OperationProgress | None, None, T]  # None: it waits for another area


class TwinCourier(Protocol):
    """Way to the trainers of other areas; its methods return at once."""

    def sensors(self, area: str, /) -> 'Future[tuple[str, ...]]':
        """Find the modalities that another area measures; its absence is a TwinError."""

    def hand_over(self, handover: TwinHandover, area: str, /) -> 'Future[TaskTwin]':
        """Have another area adopt a model; its refusal or absence is a TwinError."""

    def withdraw(self, area: str, twin_id: str, /) -> None:
        """Have another area roll an adopted twin back."""


class TwinOperations:
    """Operations on the task twins of one area. `start` is for any thread, `step` for training."""

    def __init__(
        self, area: AreaSettings, window: WindowSettings, learning: LearningSettings, *,
        client: FederatedClient, models: TwinModels, courier: TwinCourier,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._area, self._window, self._learning = area, window, learning
        self._client, self._models, self._courier = client, models, courier
        self._clock, self._lock = clock, Lock()
        self._running: RunningOperation | None = None
        self._work: Steps[OperationOutcome] | None = None

    @property
    def note(self) -> str:
        """Operation in work with its phase; empty without one."""
        running = self._running
        return f'{running.request.name}: {running.progress.phase}' if running else ''

    def start(self, request: OperationRequest) -> RunningOperation:
        """Begin an operation. Raises TwinError while another is in work."""
        with self._lock:
            if self._running is not None:
                raise TwinError(f'{self._running.request.name} is in work in {self._area.area}: '
                                'one operation at a time')
            self._running = RunningOperation(request)
        return self._running

    def cancel(self) -> None:
        """Request the end of the operation in work, if there is one."""
        running = self._running
        if running is not None:
            running.cancel()

    def step(self) -> bool:
        """Work for SLICE_SEC; return whether more can be done at once."""
        running = self._running
        if running is None:
            return False
        work = self._work = self._work or self._operate(running)
        end_s = monotonic() + SLICE_SEC
        try:
            while monotonic() < end_s:
                running.check()
                progress = next(work)
                if progress is None:
                    return False
                running.progress = progress
        except StopIteration as end:
            self._end(running, end.value, None)
        except Exception as err:  # noqa: BLE001 - no operation, however it fails, ends training
            self._end(running, None, err if isinstance(err, UttError) else TwinError(
                f'{running.request.name} failed: {err!r}'))
        return self._running is not None

    def _end(
        self, running: RunningOperation, outcome: OperationOutcome | None, error: UttError | None,
    ) -> None:
        if self._work is not None:
            self._work.close()
        with self._lock:  # the next one begins when this one has an outcome
            if outcome is not None:
                running.outcome.set_result(outcome)
            else:
                running.outcome.set_exception(error)
            self._running = self._work = None

    def _operate(self, running: RunningOperation) -> Steps[OperationOutcome]:
        begin_s, request = self._clock(), running.request
        yield OperationProgress('prepare')
        sensors = yield from self._find_sensors(request)
        plan = plan_operation(request, self._area, self._window, self._models, sensors)
        made = yield from make_model(
            plan, self._client.trainer.memory, self._learning, self._clock)
        twins, sent = yield from self._put_in_service(running, plan, made)
        return OperationOutcome(
            twins, made.nmse_before, self._clock() - begin_s, sent, made.windows)

    def _find_sensors(self, request: OperationRequest) -> Steps[dict[str, tuple[str, ...]]]:
        """Return the modalities that the areas of an operation measure."""
        for name in request.sources:
            self._models.registry.live(name)  # a wrong id is refused without a wait
        sensors = {self._area.area: self._area.modalities}
        for name in request.target_areas:
            if name not in sensors:
                sensors[name] = yield from _wait(self._courier.sensors(name))
        return sensors

    def _put_in_service(
        self, running: RunningOperation, plan: OperationPlan, model: MadeModel,
    ) -> Steps[tuple[tuple[TaskTwin, ...], int]]:
        """Hand twins over to other areas, register the rest; return all and the bytes sent."""
        made: dict[int, TaskTwin] = {}
        packed, sent, proposed = pack(model.weights), 0, model.twins
        elsewhere = [index for index, twin in enumerate(proposed)
                     if twin.area != self._area.area]
        running.commit()
        try:
            for index in elsewhere:
                yield OperationProgress('hand over')
                handover = TwinHandover(
                    self._area.area, dump_twin(proposed[index]), plan.config,
                    plan.request.max_nmse, packed.checksum, packed.payload)
                pending = self._courier.hand_over(handover, proposed[index].area)
                made[index] = yield from _wait(pending)
                sent += len(packed.payload)
            yield OperationProgress('register')
            here = [index for index in range(len(proposed)) if index not in made]
            registered = self._register([proposed[index] for index in here], plan, model)
        except Exception:
            for twin in made.values():
                self._courier.withdraw(twin.area, twin.id)
            raise
        made |= zip(here, registered, strict=True)
        return tuple(made[index] for index in range(len(proposed))), sent

    def _register(
        self, proposed: list[TaskTwin], plan: OperationPlan, model: MadeModel,
    ) -> tuple[TaskTwin, ...]:
        if not proposed:
            return ()
        follows = plan.follows and not model.is_tuned
        made = self._models.registry.register_all([
            (twin, None if follows else model_writer(TwinModel(twin, plan.config, model.weights)))
            for twin in proposed])
        if follows:
            with suppress(TwinError):  # the twins are in service, and follow the next model
                self._models.follow()  # the area's model may have changed meanwhile
        return tuple(self._models.registry.get(twin.id) for twin in made)


def _wait(pending: 'Future[T]') -> Steps[T]:
    while not pending.done():
        yield None
    return pending.result()

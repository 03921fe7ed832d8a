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

"""Plan of an operation: modalities that it reads, twins that it makes, weights it begins with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

import numpy as np

from utt_ros.errors import TwinError
from utt_ros.federation.aggregation import average
from utt_ros.federation.wire import Tensors, pack
from utt_ros.models.operations import Pair, describe_lack
from utt_ros.models.settings import load_config
from utt_ros.models.twin import check_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.task_twins.operation_request import OperationRequest
from utt_ros.task_twins.types import TASKS, ModelReference, TaskTwin, native_id
from utt_ros.training.columns import CENTRE, Columns
from utt_ros.training.fine_tuning import Judgement
from utt_ros.training.twin_models import TwinModel


class ModelReader(Protocol):
    """Models of task twins, of a running area or saved."""

    def read(self, twin_id: str, /) -> TwinModel:
        """Read the model of a twin that is not retired. Raises TwinError or ModelError."""


@dataclass(frozen=True, slots=True)
class PlannedTwin:
    """Twin that an operation is to make."""

    area: str
    task: str
    sources: tuple[str, ...]  # modalities, sorted

    @property
    def pair(self) -> Pair:
        return self.sources, TASKS[self.task]


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """Operation with everything that it begins with."""

    request: OperationRequest
    area: str  # of the sources
    config: str  # ModelSettings and WindowSettings, JSON
    weights: Tensors
    origin: ModelReference  # federation and round
    follows: bool  # the weights are the area's current model
    targets: tuple[PlannedTwin, ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Different decodings, in the order of the targets."""
        return tuple(dict.fromkeys(target.pair for target in self.targets))


def plan_operation(
    request: OperationRequest, area: AreaSettings, window: WindowSettings, models: ModelReader,
    sensors: Mapping[str, Collection[str]],
) -> OperationPlan:
    """Plan an operation in the area of its sources. Raises TwinError or ModelError.

    `sensors`: modalities that the areas measure, by area. A native twin is read through its
    sensor, a made one through the sensors that it reads. A native twin whose own task another area
    is to get is made there from the other sensors that both areas have.
    """
    read = [models.read(name) for name in request.sources]
    sources = [model.twin for model in read]
    areas = request.target_areas or (area.area,)
    tasks = request.target_tasks or (_shared_task(sources),)
    targets = tuple(
        PlannedTwin(name, task, _modalities(sources, task, name, area, sensors[name]))
        for name in areas for task in tasks)
    _check_shapes(read, window, targets)
    same = len({model.twin.model.checksum for model in read}) == 1
    weights = read[0].weights if same else average(
        [(model.weights, 1.0) for model in read], read[0].weights)
    newest = max((model.twin.model for model in read), key=lambda model: model.round)
    return OperationPlan(
        request, area.area, read[0].config, weights, newest,
        all(twin.follows for twin in sources), targets)


def _shared_task(sources: Sequence[TaskTwin]) -> str:
    tasks = sorted({twin.task for twin in sources})
    if len(tasks) > 1:
        raise TwinError(f'the sources make {" and ".join(tasks)}: name the target task')
    return tasks[0]


def _modalities(
    sources: Sequence[TaskTwin], task: str, target_area: str, area: AreaSettings,
    sensors: Collection[str],
) -> tuple[str, ...]:
    """Return the modalities that a twin of a task reads; `sensors`: those of its area."""
    target = TASKS[task]
    if len(sources) == 1 and sources[0].is_native and sources[0].task == task:
        read = _others(sources[0], target_area, area, sensors)
    else:
        read = {name for twin in sources for name in twin.sources}
    for twin in sources:
        if target in read and target in twin.sources:
            raise TwinError(f'{twin.id} reads {target}, which a twin of {task} makes: '
                            'it cannot be its source')
    for name, measured in ((area.area, area.modalities), (target_area, sensors)):
        missing = sorted(read - set(measured))
        if missing:
            raise TwinError(f'{name} has no sensor for {" and ".join(missing)}, which a twin of '
                            f'{task} would read: it has {" and ".join(sorted(measured))}')
    if target not in area.modalities:
        raise TwinError(f'no data to judge on: {area.area} does not measure {target}; begin with '
                        'a twin of an area that does')
    return tuple(sorted(read))


def _others(
    native: TaskTwin, target_area: str, area: AreaSettings, sensors: Collection[str],
) -> set[str]:
    """Return the modalities, beside its own, that a native twin's area shares with another."""
    if target_area == area.area:
        raise TwinError(f'{native.id} makes {native.task} of {area.area} already: '
                        'name another task or another area')
    read = set(area.modalities) & set(sensors) - {native.target}
    if not read:
        raise TwinError(f'{area.area} and {target_area} share no sensor beside {native.target}, '
                        f'to make {native.task} from')
    return read


def _check_shapes(
    read: Sequence[TwinModel], window: WindowSettings, targets: Sequence[PlannedTwin],
) -> None:
    first = read[0]
    for model in read:
        if model.config != first.config:
            raise TwinError(f'{model.twin.id} has a model of another shape than {first.twin.id}: '
                            'they cannot be averaged')
    settings, of_model = load_config(first.config)
    if of_model != window:
        raise TwinError(f'the model of {first.twin.id} is for {of_model}: this area has {window}')
    for model in read:
        check_weights(settings, window, model.weights)
    for target in targets:
        if lack := describe_lack({*target.sources, TASKS[target.task]}, settings.modalities):
            raise TwinError(f'the model of {first.twin.id} has {lack}')


def propose(
    plan: OperationPlan, weights: Tensors, judged: Mapping[Pair, Judgement], used: Columns,
) -> tuple[TaskTwin, ...]:
    """Return the records of the targets before they are registered, with ids without numbers.

    `used`: windows of fine-tuning.
    """
    model = replace(plan.origin, checksum=pack(weights).checksum, file='')
    fingerprint = window_fingerprint(used)
    return tuple(
        TaskTwin(
            native_id(target.area, target.task), target.area, target.task, target.sources, model,
            plan.request.kind, tuple(sorted(plan.request.sources)), windows=len(used[CENTRE]),
            data_fingerprint=fingerprint, judged_in=plan.area,
            judged_windows=judged[target.pair].windows, nmse=judged[target.pair].nmse,
            std=judged[target.pair].std)
        for target in plan.targets)


def window_fingerprint(columns: Columns) -> str:
    """Return the SHA-256 of windows, hexadecimal; empty without any."""
    if not len(columns[CENTRE]):
        return ''
    digest = sha256()
    for name in sorted(columns):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(columns[name]).data)
    return digest.hexdigest()


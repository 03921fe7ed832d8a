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

"""Transfer, merge and split of saved models on recordings, with the work of a running trainer."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, time_ns

from utt_ros.errors import ModelError, SessionError, SettingsError, TwinError
from utt_ros.models.operations import describe_lack
from utt_ros.models.saved_model import (
    DataStatistics,
    ModelCard,
    read_saved_model,
    write_saved_model,
)
from utt_ros.settings import AreaSettings
from utt_ros.task_twins.operation_request import (
    OperationOutcome,
    OperationProgress,
    OperationRequest,
)
from utt_ros.task_twins.twin_files import twin_in_card
from utt_ros.task_twins.twin_registry import FIRST_NUMBER
from utt_ros.task_twins.types import TaskTwin, check_twin, native_id
from utt_ros.training.columns import CENTRE
from utt_ros.training.data_statistics import data_statistics
from utt_ros.training.dataset import concatenate_windows
from utt_ros.training.offline_dataset import TRAIN_STRIDE, unified_examples
from utt_ros.training.operation_plan import plan_operation
from utt_ros.training.operation_work import MadeModel, make_model
from utt_ros.training.recordings import SPLITS, Recordings, load_recordings
from utt_ros.training.replay_buffer import ReplayMemory
from utt_ros.training.settings import LearningSettings
from utt_ros.training.twin_models import TwinModel, twin_card


@dataclass(frozen=True, slots=True)
class OfflineSource:
    """Saved model from which twins are made."""

    model: TwinModel
    parents: tuple[str, ...]  # ids of the twins that it is the model of


class SavedModels:
    """Models of the sources of an operation, in its order."""

    def __init__(self, request: OperationRequest, sources: Sequence[OfflineSource]) -> None:
        self._models = dict(zip(
            request.sources, (source.model for source in sources), strict=True))

    def read(self, twin_id: str) -> TwinModel:
        return self._models[twin_id]


@dataclass(frozen=True, slots=True)
class OfflineOutcome:
    """Models that an operation made of saved ones, and what it cost."""

    models: tuple[TwinModel, ...]
    statistics: DataStatistics | None  # of the training data
    operation: OperationOutcome


def recordings_of_area(folder: Path, cache: Path, area: str = '') -> Recordings:
    """Load the recordings of one area; `area`: its name, where the folder has several.

    Raises SessionError.
    """
    data = load_recordings(folder, cache)
    names = sorted(data.areas)
    if area not in ('', *names):
        raise SessionError(f'{folder} has no area {area!r}: it has {", ".join(names)}')
    if not area and len(names) > 1:
        raise SessionError(f'{folder} has the areas {", ".join(names)}: give one with --area')
    return replace(data, recordings=tuple(
        item for item in data.recordings if item.area.area == (area or names[0])))


def read_source(
    path: Path, area: str, modalities: Sequence[str] = (), task: str = '',
) -> OfflineSource:
    """Read a model as a source of an operation; its record is that of its card.

    `modalities`: through which it is read, and `task`, in place of those of its record; a model of
    no task twin needs both. Raises ModelError, which names the file.
    """
    weights, card = read_saved_model(path)
    try:
        record = twin_in_card(card)
        parents = (record.id,) if record else ()
        if record is None or modalities:
            record = _make_record(card, area, modalities, task or (record.task if record else ''))
    except TwinError as err:
        raise ModelError(f'{path}: {err}') from err
    twin = replace(record, model=replace(record.model, checksum=card.checksum))
    return OfflineSource(TwinModel(twin, card.config, weights), parents)


def _make_record(
    card: ModelCard, area: str, modalities: Sequence[str], task: str,
) -> TaskTwin:
    if not modalities or not task:
        raise TwinError('its card has no task twin: name the modalities through which it is read '
                        'with --sources, and the task with --to-task')
    if lack := describe_lack(modalities, card.modalities):
        raise TwinError(f'the model has {lack}')
    return check_twin(TaskTwin(
        native_id(area, task), area, task, tuple(sorted(modalities)), operation='import'))


def operate_offline(
    request: OperationRequest, sources: Sequence[OfflineSource], data: Recordings,
    watch: Callable[[OperationProgress], None] = lambda _: None,
) -> OfflineOutcome:
    """Carry out an operation on the recordings of one area.

    `watch` is called after each step and may raise to end the work. Raises UttError.
    """
    (area,) = data.areas.values()
    begin_s = monotonic()
    sensors = dict.fromkeys((area.area, *request.target_areas), area.modalities)
    plan = plan_operation(request, area, data.window, SavedModels(request, sources), sensors)
    memory, learning = memory_of_recordings(data, area)
    made = _watched(make_model(plan, memory, learning, monotonic), watch)
    parents = tuple(sorted({name for source in sources for name in source.parents}))
    twins = tuple(check_twin(replace(
        twin, id=f'{native_id(twin.area, twin.task)}_{FIRST_NUMBER}', parents=parents,
        created_ns=time_ns())) for twin in made.twins)
    return OfflineOutcome(
        tuple(TwinModel(twin, plan.config, made.weights) for twin in twins), _statistics(data),
        OperationOutcome(twins, made.nmse_before, monotonic() - begin_s, 0, made.windows))


def _watched(
    work: Generator[OperationProgress, None, MadeModel],
    watch: Callable[[OperationProgress], None],
) -> MadeModel:
    try:
        while True:
            watch(next(work))
    except StopIteration as end:
        made: MadeModel = end.value
    return made


def memory_of_recordings(
    data: Recordings, area: AreaSettings,
) -> tuple[ReplayMemory, LearningSettings]:
    """Return the windows of an area: the test split is held out, without one blocks of time.

    Raises SessionError when no sequence is long enough for a window.
    """
    splits = [split for split in SPLITS if data.of(split)]
    if splits == ['test'] or 'test' not in splits:
        windows = concatenate_windows([
            data.windows(split, stride=TRAIN_STRIDE).windows for split in splits])
        learning = LearningSettings(capacity=len(windows), held_out=len(windows))
        memory = ReplayMemory(learning)
        memory.observe(windows, area, data.window)
        return memory, learning
    parts = {split: unified_examples(data, split, None, TRAIN_STRIDE) for split in splits}
    counts = {split: len(part[CENTRE]) for split, part in parts.items()}
    learning = LearningSettings(
        capacity=sum(counts.values()) - counts['test'], held_out=counts['test'])
    memory = ReplayMemory(learning)
    for split, part in parts.items():
        (memory.held_out if split == 'test' else memory.training).add(part)
    return memory, learning


def write_outcome(outcome: OfflineOutcome, out: Path) -> list[Path]:
    """Write one model to the file `out`, several into the folder. Raises SettingsError."""
    several = len(outcome.models) > 1
    paths = [out / f'{model.twin.id}.safetensors' if several else out for model in outcome.models]
    try:
        for path, model in zip(paths, outcome.models, strict=True):
            path.parent.mkdir(exist_ok=True)
            card = replace(twin_card(model), statistics=outcome.statistics)
            write_saved_model(path, model.weights, card)
    except OSError as err:
        raise SettingsError(f'{out} cannot be written: {err}') from err
    return paths


def _statistics(data: Recordings) -> DataStatistics | None:
    """Return the statistics of the train split, None when it has no window."""
    try:
        return data_statistics(data)
    except SessionError:
        return None

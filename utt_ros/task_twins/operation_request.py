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

"""Operations on task twins as they are requested, go on and end; see action/*.action."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, nan

from utt_ros.errors import TwinError
from utt_ros.settings import AREA_NAME
from utt_ros.task_twins.types import TASKS, TaskTwin

SOURCE_COUNTS = {'transfer': (1, 1), 'merge': (2, 64), 'split': (1, 1)}  # by kind
PHASES = ('prepare', 'tune', 'judge', 'hand over', 'register')
MAX_TARGETS = 16  # areas, or tasks, of one operation
MAX_BUDGET_WINDOWS = 1_000_000
MAX_BUDGET_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """Goal of a transfer, merge or split. Raises TwinError for values outside their limits."""

    kind: str  # of SOURCE_COUNTS
    sources: tuple[str, ...]  # ids
    target_areas: tuple[str, ...] = ()  # empty: the area of the sources
    target_tasks: tuple[str, ...] = ()  # empty: the task that all sources share
    max_windows: int = 0  # newest windows to fine-tune on; with max_seconds 0 too: none
    max_seconds: float = 0.0  # to fine-tune; 0: unlimited
    max_nmse: float = 0.0  # that the mean error must not exceed; 0: no limit

    def __post_init__(self) -> None:
        if self.kind not in SOURCE_COUNTS:
            raise TwinError(f'operation {self.kind[:64]!r} is unknown: it must be one of '
                            f'{", ".join(SOURCE_COUNTS)}')
        fewest, most = SOURCE_COUNTS[self.kind]
        count = len(set(self.sources))
        if not fewest <= count <= most:
            wanted = f'{fewest}' if fewest == most else f'{fewest} to {most} different ones'
            raise TwinError(f'{self.kind} has {count} source twins: it must have {wanted}')
        if count < len(self.sources):
            raise TwinError(f'{self.kind} names {_repeated(self.sources)} twice')
        self._check_targets()
        for name, value, limit in (
            ('max_windows', self.max_windows, MAX_BUDGET_WINDOWS),
            ('max_seconds', self.max_seconds, MAX_BUDGET_SECONDS), ('max_nmse', self.max_nmse, 0),
        ):
            if not isfinite(value) or value < 0 or (limit and value > limit):
                bound = f'0 to {limit:g}' if limit else 'at least 0'
                raise TwinError(f'{name} is {value:g}: it must be finite, {bound}')

    @property
    def tunes(self) -> bool:
        """True when the result is to be fine-tuned."""
        return bool(self.max_windows or self.max_seconds)

    @property
    def name(self) -> str:
        """Name of the form 'merge of hall_position and hall_tracking'."""
        return f'{self.kind} of {" and ".join(self.sources)}'

    def _check_targets(self) -> None:
        for kind, names in (('area', self.target_areas), ('task', self.target_tasks)):
            if len(names) > (MAX_TARGETS if self.kind == 'split' else 1):
                raise TwinError(f'{self.kind} has {len(names)} target {kind}s: '
                                f'at most {MAX_TARGETS if self.kind == "split" else 1}')
            if len(set(names)) < len(names):
                raise TwinError(f'{self.kind} names {_repeated(names)} twice')
        for area in self.target_areas:
            if not AREA_NAME.fullmatch(area):
                raise TwinError(f'target area {area[:64]!r} is not a name')
        for task in self.target_tasks:
            if task not in TASKS:
                raise TwinError(f'target task {task[:64]!r} is unknown: it must be one of '
                                f'{", ".join(TASKS)}')


@dataclass(frozen=True, slots=True)
class OperationProgress:
    """Progress of an operation; `steps` is a maximum."""

    phase: str = PHASES[0]
    step: int = 0  # of fine-tuning
    steps: int = 0
    loss: float = nan  # of the newest step
    windows: int = 0  # to fine-tune on
    seconds_left: float = nan


@dataclass(frozen=True, slots=True)
class OperationOutcome:
    """Task twins that an operation made, and their cost."""

    twins: tuple[TaskTwin, ...]  # as they were registered
    nmse_before: tuple[float, ...]  # per twin, before fine-tuning
    seconds: float
    bytes: int  # sent to other areas
    windows: int  # used for fine-tuning

    @property
    def sentence(self) -> str:
        """Made twins with their errors, in one sentence."""
        made = (f'{twin.id} (NMSE_var {twin.mean_nmse:.3f}, {before:.3f} before)'
                for twin, before in zip(self.twins, self.nmse_before, strict=True))
        dropped = (f'; fine-tuning on {self.windows} windows gained nothing and was dropped'
                   if self.windows and not any(twin.windows for twin in self.twins) else '')
        return f'{", ".join(made)}: made in {self.seconds:.1f} s{dropped}'


def _repeated(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return next(name for name, other in pairwise(ordered) if name == other)

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

"""Rounds, NMSE and gates per area, and task twins, as a view shows them; bounded."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any

import numpy as np

from utt_ros.errors import TwinError
from utt_ros.orchestration.system_status import (
    FederationStatus,
    PersonStatus,
    SystemStatus,
    printable,
)
from utt_ros.task_twins.twin_fields import twin_from_fields
from utt_ros.task_twins.types import TaskTwin
from utt_ros.types import NS_PER_S, Array
from utt_ros.view.shown_topics import ShownTopic

MAX_SHOWN_ROUNDS = 400
MAX_SHOWN_OPERATIONS = 32
MAX_SHOWN_MODALITIES = 16
MAX_HISTORY_AREAS = 256


class FederationHistory:
    """Newest round, NMSE_var by area and round, newest errors and gates, task twins."""

    def __init__(self) -> None:
        self.round: FederationStatus | None = None
        self.quorum = 0
        self.operations: dict[str, dict[str, float]] = {}  # by area
        self.gates: dict[str, dict[str, float]] = {}  # by area and modality
        self.twins: dict[str, tuple[TaskTwin, ...]] = {}  # by area
        self._nmse: dict[str, dict[int, float]] = {}  # by area and round

    def receive(self, topic: ShownTopic, message: Any) -> None:
        """Take a message of rounds, metrics or task twins. Raises UttError."""
        if topic.kind == 'rounds':
            self._on_rounds(message)
        elif topic.kind == 'metrics':
            self._on_metrics(message)
        elif topic.kind == 'twins':
            self._on_twins(message)

    def update_status(
        self, status: SystemStatus, area: str, message: Any,
        people: Sequence[tuple[str, str, float]], now_ns: int,
    ) -> None:
        """Update the status of an area from a TwinStatus; `people`: name, sources, deviation."""
        nmse = self._nmse.get(area)
        status.update(
            area, heard_s=now_ns / NS_PER_S,
            people={printable(name): PersonStatus(sources, std) for name, sources, std in people},
            round=int(message.round) if message.model_ready else None,
            ticks_lost=int(message.ticks_lost), compute_p99_ms=float(message.compute_p99),
            note=printable(message.note), nmse=list(nmse.values())[-1] if nmse else None)

    def nmse_table(self) -> tuple[Array, dict[str, Array]]:
        """Return the rounds (R,) and by area the mean NMSE_var (R,); NaN where it is not known."""
        rounds = sorted({number for by_round in self._nmse.values() for number in by_round})
        return np.array(rounds, np.float64), {
            area: np.array([by_round.get(number, nan) for number in rounds])
            for area, by_round in sorted(self._nmse.items())}

    def synthesizers(self, area: str) -> Mapping[str, TaskTwin]:
        """Return the best serving task twin of an area that is a virtual sensor, by modality."""
        best: dict[str, TaskTwin] = {}
        for twin in self.twins.get(area, ()):
            if twin.status == 'serving' and not twin.is_native:
                known = best.get(twin.target)
                if known is None or _rank(twin) < _rank(known):
                    best[twin.target] = twin
        return best

    def _on_rounds(self, message: Any) -> None:
        self.quorum = int(message.quorum)
        self.round = FederationStatus(
            int(message.round), printable(message.state),
            tuple(map(printable, message.accepted)),
            _pairs(message.refused, message.reasons),
            _pairs(message.suspected, message.suspicions))

    def _on_metrics(self, message: Any) -> None:
        area = printable(message.area)
        if area not in self._nmse and len(self._nmse) >= MAX_HISTORY_AREAS:
            return
        errors = _finite_numbers(message.operations, message.nmse_var)
        self.operations[area] = dict(list(errors.items())[:MAX_SHOWN_OPERATIONS])
        gates = _finite_numbers(message.modalities, message.gate_weights)
        self.gates[area] = dict(list(gates.items())[:MAX_SHOWN_MODALITIES])
        by_round = self._nmse.setdefault(area, {})
        if errors:
            by_round[int(message.round)] = sum(errors.values()) / len(errors)
        while len(by_round) > MAX_SHOWN_ROUNDS:
            del by_round[next(iter(by_round))]

    def _on_twins(self, message: Any) -> None:
        area = printable(message.area)
        if area not in self.twins and len(self.twins) >= MAX_HISTORY_AREAS:
            raise TwinError(f'{area!r} is one area too many: at most {MAX_HISTORY_AREAS}')
        self.twins[area] = tuple(twin_from_fields(twin) for twin in message.twins)


def _rank(twin: TaskTwin) -> tuple[bool, float, str]:
    return not isfinite(twin.mean_nmse), twin.mean_nmse, twin.id


def _finite_numbers(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    return {printable(name): float(value) for name, value in zip(names, values, strict=False)
            if isfinite(value)}


def _pairs(names: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    return {printable(name): printable(text) for name, text in zip(names, texts, strict=False)}

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

"""Deployment of the serving task twins of an area to its twin node, as inference graphs."""

from dataclasses import dataclass, replace

from utt_ros.errors import UttError
from utt_ros.federation.types import TaskDeployment
from utt_ros.models.settings import load_config
from utt_ros.models.task_twin_export import export_task_twin
from utt_ros.models.twin import build_twin
from utt_ros.task_twins.types import ModelReference, TaskTwin
from utt_ros.training.client import MAX_PROBLEM, ClientProblem
from utt_ros.training.twin_models import TwinModels
from utt_ros.types import CHANNELS

MAX_WITHDRAWN = 8  # task twins that are withdrawn at start: messages are kept for 16

DeploymentEvent = TaskDeployment | ClientProblem


@dataclass(frozen=True, slots=True)
class _Deployed:
    model: ModelReference
    deployment: TaskDeployment


class TwinDeployment:
    """Exports graphs when the registry has changed. For the training thread."""

    def __init__(self, models: TwinModels, access_points: int = 1) -> None:
        """`access_points`: of the area."""
        self._models, self._access_points = models, access_points
        self._seen: tuple[int, bool] | None = None  # revision; whether the area has a model
        self._deployed: dict[str, _Deployed] = {}  # by id
        self.problems = 0  # exports that failed, since start
        self.problem = ''  # sentence about twins that cannot be exported, empty without any

    def step(self) -> list[DeploymentEvent]:
        """Return the graphs of all serving twins after a change, and empty ones of the others.

        All are repeated, since a late subscriber gets a bounded number of messages. At start,
        those that the previous process may have left in service are withdrawn.
        """
        registry = self._models.registry
        now = registry.revision, self._models.has_model
        if now == self._seen:
            return []
        left = [] if self._seen else self._left_over()
        self._seen, events, former = now, list[DeploymentEvent](), self._deployed
        self._deployed = {}
        for twin in registry.serving:
            self._renew(twin, former.get(twin.id), events)
        failed = [event.text for event in events if isinstance(event, ClientProblem)]
        self.problem, self.problems = '; '.join(failed), self.problems + len(failed)
        if left or self._deployed != former:
            left += [item.deployment for name, item in former.items()
                     if name not in self._deployed]
            events += map(_withdraw, left)
            events += [item.deployment for item in self._deployed.values()]
        return events

    def _left_over(self) -> list[TaskDeployment]:
        """Return empty deployments of twins that do not serve, the newest ones."""
        idle = [twin for twin in self._models.registry.twins
                if twin.status != 'serving' and not twin.is_native]
        newest = sorted(idle, key=lambda twin: twin.created_ns)[-MAX_WITHDRAWN:]
        return [_deployment(twin, '', b'') for twin in newest]

    def _renew(
        self, twin: TaskTwin, former: _Deployed | None, events: list[DeploymentEvent],
    ) -> None:
        """Export a twin unless its model is that of the former deployment."""
        if twin.follows and not self._models.has_model:
            return
        if former is not None and former.model == twin.model:
            self._deployed[twin.id] = former
            return
        try:
            self._deployed[twin.id] = _Deployed(
                twin.model, export_twin(twin.id, self._models, self._access_points))
        except UttError as err:
            events.append(ClientProblem(f'{twin.id} is not in service: {err}'[:MAX_PROBLEM]))


def export_twin(twin_id: str, models: TwinModels, access_points: int = 1) -> TaskDeployment:
    """Export a task twin as an inference graph. Raises TwinError or ModelError."""
    stored = models.read(twin_id)
    model = build_twin(*load_config(stored.config), stored.weights)
    graph = export_task_twin(
        model, (stored.twin.sources, stored.twin.target), access_points)
    return _deployment(stored.twin, stored.config, graph)


def _deployment(twin: TaskTwin, config: str, graph: bytes) -> TaskDeployment:
    channels = CHANNELS[twin.target]
    std = tuple(twin.std[name] for name in channels) if set(channels) <= set(twin.std) else ()
    return TaskDeployment(
        twin.area, twin.id, twin.sources, twin.target, twin.model.federation, twin.model.round,
        config, std, graph)


def _withdraw(deployment: TaskDeployment) -> TaskDeployment:
    """Return the message that a task twin no longer serves."""
    return replace(deployment, config='', std=(), graph=b'', checksum='')

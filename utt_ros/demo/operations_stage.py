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

"""Task twins of running areas, made by transfer, merge and split through their actions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from utt_ros.bridge.node.operation_client import OperationClient
from utt_ros.demo.scenes import DemoArea
from utt_ros.errors import NoAnswer, TwinError
from utt_ros.federation.aggregation import average
from utt_ros.federation.wire import Tensors
from utt_ros.task_twins.operation_request import OperationOutcome, OperationRequest
from utt_ros.task_twins.types import native_id
from utt_ros.types import MODALITIES

MAX_TUNING_WINDOWS = 60
MAX_TUNING_SECONDS = 8.0
AREA_WAIT_SEC = 20.0


@dataclass(frozen=True, slots=True)
class PerformedOperation:
    """An operation with the weights before and after it."""

    request: OperationRequest
    area: str  # of the sources
    outcome: OperationOutcome
    config: str  # JSON
    before: Tensors
    after: Tensors


def plan_demo_operations(areas: Sequence[DemoArea]) -> list[OperationRequest]:
    """Plan one operation of each kind that the areas allow.

    An area without a camera gets the trajectory twin of one with a camera, a trajectory twin
    splits into one of position and one of tracking, and two task twins merge into one of position.
    """
    complete = [area for area in areas if set(area.settings.modalities) == set(MODALITIES)]
    blind = [area for area in areas if 'camera' not in area.settings.modalities]
    if not complete:
        return []
    first, last = complete[0], complete[-1]
    return [
        *(_request('transfer', first, ['trajectory'], area, ['trajectory'])
          for area in blind[-1:]),
        _request('split', last, ['trajectory'], last, ['position', 'tracking']),
        _request('merge', first, ['trajectory', 'tracking'], first, ['position'])]


def perform_operations(
    requests: Sequence[OperationRequest], log: Callable[[str], None],
) -> list[PerformedOperation]:
    """Request operations of the areas that run; refused ones are logged and left out."""
    with OperationClient(AREA_WAIT_SEC) as client:
        performed = [_perform(client, request, log) for request in requests]
    return [item for item in performed if item is not None]


def _perform(
    client: OperationClient, request: OperationRequest, log: Callable[[str], None],
) -> PerformedOperation | None:
    try:
        performed = _operate(client, request)
    except (TwinError, NoAnswer) as err:
        log(f'{request.name}: {err}')
        return None
    log(f'{request.name}: {performed.outcome.sentence}')
    return performed


def _operate(client: OperationClient, request: OperationRequest) -> PerformedOperation:
    sources = [client.read_model(name) for name in request.sources]
    outcome, _ = client.operate(request, lambda _: None, lambda: False)
    made = client.read_model(outcome.twins[0].id)  # all twins of an operation share their weights
    before = average([(source.weights, 1.0) for source in sources], sources[0].weights)
    return PerformedOperation(
        request, sources[0].twin.area, outcome, made.config, before, made.weights)


def _request(
    kind: str, giver: DemoArea, sources: Sequence[str], taker: DemoArea, tasks: Sequence[str],
) -> OperationRequest:
    return OperationRequest(
        kind, tuple(native_id(giver.name, task) for task in sources), (taker.name,), tuple(tasks),
        MAX_TUNING_WINDOWS, MAX_TUNING_SECONDS)

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

"""Cost of a round in the aggregator, by number of areas: no DDS, no training."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import psutil
from rclpy.serialization import serialize_message

from utt_ros.bridge.messages.federation import round_status_to_message
from utt_ros.bridge.messages.sensors import to_time
from utt_ros.evaluation.benchmarks.reference_model import make_twin
from utt_ros.federation.checkpoints import Checkpoint, NullStore
from utt_ros.federation.client_messages import make_update
from utt_ros.federation.server import FederationServer
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import RoundStatus, Update
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import read_weights
from utt_ros.settings import WindowSettings
from utt_ros.types import MODALITIES

WINDOWS = 100  # per update
CHANGE_STD = 1e-3  # of a weight
MB = 1e6


@dataclass(frozen=True, slots=True)
class RoundCost:
    """CPU time, memory and bytes of one round with its default screening and rule."""

    areas: int
    receive_s: float  # all updates: checked and kept
    close_s: float  # screened and averaged, next model packed
    memory_mb: float  # that the updates take
    status_bytes: int  # of a status on /utt/rounds
    state_bytes: int  # of the same on /utt/round_state


def measure_rounds(numbers: Iterable[int]) -> list[RoundCost]:
    """Measure a round for each number of areas, which send updates of the model of default size.

    In increasing order: a round uses the memory of smaller ones before it again.
    """
    weights = read_weights(make_twin(ModelSettings(), WindowSettings()))
    begin = Checkpoint('bench', 0, '{}', weights)
    before = psutil.Process().memory_info().rss
    return [_measure_round(areas, begin, before) for areas in sorted(set(numbers))]


def _measure_round(areas: int, begin: Checkpoint, before: int) -> RoundCost:
    """`before`: memory [B] of the process without updates."""
    settings = AggregatorSettings(
        quorum=areas, max_areas=areas, areas=tuple(f'area{number:04d}' for number in range(areas)))
    server = FederationServer(settings, NullStore(), begin, now_ns=0)
    receive_s = 0.0
    for update in _updates(begin, settings.areas):
        begin_s = time.process_time()
        refusal = server.receive(update, 1)
        receive_s += time.process_time() - begin_s
        if refusal:
            raise AssertionError(refusal)
    memory_mb = (psutil.Process().memory_info().rss - before) / MB
    status = server.status(2)
    begin_s = time.process_time()
    server.step(2)
    close_s = time.process_time() - begin_s
    nameless = replace(status, accepted={}, refused={}, suspected={})
    return RoundCost(areas, receive_s, close_s, memory_mb, *map(_size, (status, nameless)))


def _updates(begin: Checkpoint, areas: tuple[str, ...]) -> Iterator[Update]:
    rng = np.random.default_rng(0)
    for area in areas:
        yield make_update(begin, area, WINDOWS, MODALITIES, {
            name: tensor + CHANGE_STD * rng.standard_normal(tensor.shape, np.float32)
            for name, tensor in begin.tensors.items()})


def _size(status: RoundStatus) -> int:
    return len(serialize_message(round_status_to_message(status, to_time(0))))

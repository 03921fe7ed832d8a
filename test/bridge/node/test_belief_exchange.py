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

"""The belief of one area's twin begins that of the next one, over real DDS."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rclpy.node import Node
from utt_ros.msg import SubjectBeliefs

from utt_ros.bridge.messages.beliefs import beliefs_to_message
from utt_ros.bridge.node.belief_exchange import BELIEF_TICKS, BeliefExchange
from utt_ros.bridge.node.qos import SENSOR
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, NullSigner, SealVerifier
from utt_ros.settings import AreaSettings
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import AreaBeliefs, SubjectBelief

Wait = Callable[..., None]
Spin = Callable[[], None]
T0 = 1_700_000_000_000_000_000
HALL, STAIRS = AreaSettings(area='hall'), AreaSettings(area='stairs')
ANN = SubjectBelief(np.array([3.0, 1.0, 1.0, 0.0, 0.1]), 0.04 * np.eye(5), None)
WAIT_SEC = 30.0


class Engine:
    """An engine that is sure of ann."""

    def __init__(self) -> None:
        self.known: dict[str, SubjectBelief] = {'ann': ANN}

    def sure_beliefs(self, stamp_ns: int) -> AreaBeliefs:
        return AreaBeliefs('hall', stamp_ns, self.known)


class Batch:
    def __init__(self, sequence: int) -> None:
        self.sequence, self.stamp_ns = sequence, T0


@pytest.fixture
def neighbours() -> NeighbourBeliefs:
    return NeighbourBeliefs(STAIRS, ParticleFilterSettings(), 5.0)


@pytest.fixture
def signing(tmp_path: Path) -> Any:
    keys = KeyFolder(tmp_path)
    return SimpleNamespace(signer=KeySigner(keys, 'hall'), verifier=SealVerifier(keys))


def test_sure_beliefs_reach_the_other_area_every_few_ticks(
    node: Node, neighbours: NeighbourBeliefs, signing: Any, spin: Spin,
    wait_until: Wait,
) -> None:
    of_hall = NeighbourBeliefs(HALL, ParticleFilterSettings(), 5.0)
    sender = BeliefExchange(node, HALL, of_hall, signing)
    receiver = BeliefExchange(node, STAIRS, neighbours, signing)
    engine: Any = Engine()
    wait_until(lambda: node.count_subscribers('/utt/beliefs') == 2, WAIT_SEC, spin)

    def step() -> None:
        batch: Any = Batch(BELIEF_TICKS)
        sender.publish(batch, engine)
        spin()

    wait_until(lambda: neighbours.offer('ann', T0) is not None, WAIT_SEC, step)
    assert not of_hall  # its own beliefs come back to it
    values = receiver.values()
    assert (values['beliefs_kept'], values['beliefs_refused']) == (1, 0)


def test_nothing_is_published_between_and_without_sure_beliefs(
    node: Node, signing: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_hall = NeighbourBeliefs(HALL, ParticleFilterSettings(), 5.0)
    sender, engine = BeliefExchange(node, HALL, of_hall, signing), Engine()
    published: list[Any] = []
    monkeypatch.setattr(sender._output, 'publish', published.append)
    for sequence in range(1, 2 * BELIEF_TICKS + 1):
        given: tuple[Any, Any] = Batch(sequence), engine
        sender.publish(*given)
    assert len(published) == 2
    engine.known = {}
    given = Batch(0), engine
    sender.publish(*given)
    assert len(published) == 2


def test_unsigned_beliefs_are_refused_and_named(
    node: Node, neighbours: NeighbourBeliefs, signing: Any, spin: Spin,
    wait_until: Wait,
) -> None:
    receiver = BeliefExchange(node, STAIRS, neighbours, signing)
    forger = node.create_publisher(SubjectBeliefs, '/utt/beliefs', SENSOR)
    message = beliefs_to_message(AreaBeliefs('hall', T0, {'ann': ANN}), NullSigner())

    def step() -> None:
        forger.publish(message)
        spin()

    wait_until(lambda: receiver.refused, WAIT_SEC, step)
    assert not neighbours
    assert receiver.refusal == "beliefs of 'hall' refused: it is not signed by 'hall'"

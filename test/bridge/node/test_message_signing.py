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

"""Signatures of a node by its parameters."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter

from utt_ros.bridge.node.message_signing import MessageSigning
from utt_ros.errors import SettingsError, SignatureRefused
from utt_ros.federation.types import Deployment

GRAPH = Deployment('hall', 'fed', 0, '{}', b'graph')


@pytest.fixture
def node(ros: int, tmp_path: Path) -> Iterator[Node]:
    made = Node('signing', parameter_overrides=[
        Parameter('keys', value=str(tmp_path / 'keys'))])
    yield made
    made.destroy_node()


def test_node_signs_with_its_key_and_verifies_with_those_of_the_folder(
    node: Node, tmp_path: Path,
) -> None:
    signing = MessageSigning(node, 'hall')
    assert signing.note == ''
    signing.verifier.verify(GRAPH, signing.signer.sign(GRAPH))
    with pytest.raises(SignatureRefused):
        signing.verifier.verify(GRAPH, GRAPH.seal)
    assert (tmp_path / 'keys/hall.key').exists()


def test_counters_are_those_of_a_node_in_its_domain(
    node: Node, ros: int, tmp_path: Path,
) -> None:
    signing = MessageSigning(node, 'hall')
    signing.verifier.verify(GRAPH, signing.signer.sign(GRAPH))
    (file,) = (tmp_path / 'keys/received').iterdir()
    assert file.name == f'{ros}.signing.json'


def test_node_that_only_receives_makes_no_key(node: Node, tmp_path: Path) -> None:
    MessageSigning(node)
    assert not list((tmp_path / 'keys').iterdir())


def test_key_that_others_can_read_is_refused(node: Node, tmp_path: Path) -> None:
    (tmp_path / 'keys').mkdir(mode=0o700)
    (tmp_path / 'keys/hall.key').touch(mode=0o644)
    with pytest.raises(SettingsError, match='others can read it'):
        MessageSigning(node, 'hall')


def test_unsigned_node_warns(ros: int, tmp_path: Path) -> None:
    node = Node('unsigned', parameter_overrides=[Parameter('signed', value=False)])
    signing = MessageSigning(node, 'hall')
    node.destroy_node()
    assert 'anybody in this ROS domain can send' in signing.note
    signing.verifier.verify(GRAPH, signing.signer.sign(GRAPH))

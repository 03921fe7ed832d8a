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

"""Beliefs survive the wire, and what is not signed by their area is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from utt_ros.msg import SubjectBeliefs

from utt_ros.bridge.messages.beliefs import beliefs_from_message, beliefs_to_message
from utt_ros.errors import MeasurementError, SignatureRefused
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, NullSigner, NullVerifier, SealVerifier
from utt_ros.twin.subject_belief import AreaBeliefs, SubjectBelief

ANN = SubjectBelief(np.arange(5.0), np.eye(5) + 0.1, np.array([0.1, 1.2, -0.3]))
BOB = SubjectBelief(np.arange(5.0) / 3, 2 * np.eye(5), None)
BELIEFS = AreaBeliefs('hall', 1_700_000_000_123_456_789, {'bob': BOB, 'ann': ANN})


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path)


def test_beliefs_survive_the_wire(keys: KeyFolder) -> None:
    message = beliefs_to_message(BELIEFS, KeySigner(keys, 'hall'))
    assert message.header.frame_id == 'map'
    assert message.subjects == ['ann', 'bob']
    found = beliefs_from_message(message, SealVerifier(keys))
    assert (found.area, found.stamp_ns, list(found.subjects)) == (
        'hall', BELIEFS.stamp_ns, ['ann', 'bob'])
    np.testing.assert_array_equal(found.subjects['bob'].mean, BOB.mean)
    np.testing.assert_array_equal(found.subjects['ann'].covariance, ANN.covariance)
    np.testing.assert_array_equal(found.subjects['ann'].motion, ANN.motion)
    assert found.subjects['bob'].motion is None


def set_number(name: str) -> Callable[[SubjectBeliefs], None]:
    def change(message: SubjectBeliefs) -> None:
        values = getattr(message, name)
        values[0] += 1
    return change


@pytest.mark.parametrize('change', [
    set_number('mean'), set_number('covariance'), set_number('motion'),
    lambda message: setattr(message, 'guided', [True, True]),
    lambda message: setattr(message, 'subjects', ['ann', 'cy']),
    lambda message: setattr(message.header.stamp, 'sec', 7),
    lambda message: setattr(message, 'area', 'yard'),
    lambda message: setattr(message, 'signature', b'')])
def test_changed_beliefs_are_refused(change: Any, keys: KeyFolder) -> None:
    KeySigner(keys, 'yard')
    message = beliefs_to_message(BELIEFS, KeySigner(keys, 'hall'))
    change(message)
    with pytest.raises(SignatureRefused):
        beliefs_from_message(message, SealVerifier(keys))


def test_beliefs_are_used_once(keys: KeyFolder) -> None:
    message, verifier = beliefs_to_message(BELIEFS, KeySigner(keys, 'hall')), SealVerifier(keys)
    beliefs_from_message(message, verifier)
    with pytest.raises(SignatureRefused, match='replay'):
        beliefs_from_message(message, verifier)


@pytest.mark.parametrize(('field', 'value', 'words'), [
    ('mean', [0.0] * 9, 'mean of 2 subjects has 9'), ('covariance', [0.0] * 4, 'must have 50'),
    ('guided', [True], 'guided'), ('subjects', ['ann', 'ann'], 'twice'),
    ('subjects', [f's{number}' for number in range(1001)], 'at most 1000')])
def test_lists_that_do_not_belong_together_are_refused(
    field: str, value: list[Any], words: str,
) -> None:
    message = beliefs_to_message(BELIEFS, NullSigner())
    setattr(message, field, value)
    with pytest.raises(MeasurementError, match=words):
        beliefs_from_message(message, NullVerifier())


def test_another_frame_is_refused() -> None:
    message = beliefs_to_message(BELIEFS, NullSigner())
    message.header.frame_id = 'hall'
    with pytest.raises(MeasurementError, match="frame 'hall': it must be 'map'"):
        beliefs_from_message(message, NullVerifier())

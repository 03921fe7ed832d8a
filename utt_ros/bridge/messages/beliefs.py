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

"""Beliefs of an area <-> message, with its seal over all of them."""

from array import array

import numpy as np
from std_msgs.msg import Header

from utt_ros.bridge.messages.federation import seal_fields, seal_from_message
from utt_ros.bridge.messages.sensors import to_ns, to_time
from utt_ros.errors import MeasurementError
from utt_ros.federation.signing import Signer, Verifier
from utt_ros.federation.types import BeliefNotice
from utt_ros.map_pose import MAP_FRAME
from utt_ros.msg import SubjectBeliefs
from utt_ros.twin.subject_belief import (
    MAX_BELIEF_SUBJECTS,
    STATE_SIZE,
    AreaBeliefs,
    SubjectBelief,
)
from utt_ros.types import Array

NO_MOTION = np.zeros(3)


def beliefs_to_message(beliefs: AreaBeliefs, signer: Signer) -> SubjectBeliefs:
    """Convert beliefs in `map`, and sign them."""
    names = sorted(beliefs.subjects)
    listed = [beliefs.subjects[name] for name in names]
    message = SubjectBeliefs(
        header=Header(stamp=to_time(beliefs.stamp_ns), frame_id=MAP_FRAME), area=beliefs.area,
        subjects=names,
        mean=_numbers([belief.mean for belief in listed]),
        covariance=_numbers([belief.covariance for belief in listed]),
        motion=_numbers([NO_MOTION if belief.motion is None else belief.motion
                         for belief in listed]),
        guided=[belief.motion is not None for belief in listed])
    for field, value in seal_fields(signer.sign(_notice(message))).items():
        setattr(message, field, value)
    return message


def beliefs_from_message(message: SubjectBeliefs, verifier: Verifier) -> AreaBeliefs:
    """Convert beliefs after their seal is verified. Their numbers are not checked yet.

    Raises MeasurementError for another frame and for lists that do not belong together,
    SignatureRefused for a seal that is not that of the area.
    """
    count = len(message.subjects)
    if message.header.frame_id != MAP_FRAME:
        raise MeasurementError(f'beliefs are in the frame {message.header.frame_id!r:.80}: it '
                               f'must be {MAP_FRAME!r}')
    if count > MAX_BELIEF_SUBJECTS:
        raise MeasurementError(
            f'there are beliefs about {count} subjects: at most {MAX_BELIEF_SUBJECTS}')
    lengths = {'mean': STATE_SIZE, 'covariance': STATE_SIZE**2, 'motion': 3, 'guided': 1}
    for name, length in lengths.items():
        if len(getattr(message, name)) != count * length:
            raise MeasurementError(f'{name} of {count} subjects has {len(getattr(message, name))} '
                                   f'numbers: it must have {count * length}')
    if len(set(message.subjects)) != count:
        raise MeasurementError('a subject is listed twice')
    verifier.verify(_notice(message), seal_from_message(message))
    mean = np.array(message.mean).reshape(count, STATE_SIZE)
    covariance = np.array(message.covariance).reshape(count, STATE_SIZE, STATE_SIZE)
    motion = np.array(message.motion).reshape(count, 3)
    return AreaBeliefs(message.area, to_ns(message.header.stamp), {
        name: SubjectBelief(mean[row], covariance[row],
                            motion[row] if message.guided[row] else None)
        for row, name in enumerate(message.subjects)})


def _numbers(rows: list[Array]) -> 'array[float]':
    return array('d', np.concatenate([np.ravel(row) for row in rows]).tobytes() if rows else b'')


def _notice(message: SubjectBeliefs) -> BeliefNotice:
    """Return the signed part of a message: all of it but the seal."""
    numbers = (message.mean, message.covariance, message.motion, message.guided)
    names = '\n'.join(message.subjects).encode()
    parts = [str(to_ns(message.header.stamp)).encode(), names,
             *(np.asarray(values, '<f8').tobytes() for values in numbers)]
    return BeliefNotice(message.area, b'\0'.join(parts))

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

"""Measurements of recorded sessions, arranged for a survey of their area."""

from collections.abc import Sequence

import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.geometry.camera_survey import WalkerBoxes
from utt_ros.types import NS_PER_S, Array, Session


def walker_boxes(sessions: Sequence[Session]) -> WalkerBoxes:
    """Collect the boxes of all sessions; a walker is a subject, or else a track of one session.

    Raises MeasurementError when no session has a box.
    """
    boxes: list[Array] = []
    names: list[str] = []
    times_s: list[Array] = []
    for number, session in enumerate(sessions):
        if session.frames is None:
            continue
        frames = session.frames
        boxes.append(frames.boxes.astype(np.float64))
        names += [subject or f'{number}/{track}' for subject, track in zip(
            frames.subjects, frames.track_ids, strict=True)]
        times_s.append(np.repeat(frames.stamps_ns, np.diff(frames.starts)) / NS_PER_S)
    if not names:
        raise MeasurementError('no boxes of people: record while the camera sees somebody walk')
    _, walkers = np.unique(names, return_inverse=True)
    return WalkerBoxes(
        np.concatenate(boxes), walkers.astype(np.int64), np.concatenate(times_s))

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

"""Association of camera boxes with subjects: protocol, its records, and association by labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from utt_ros.types import CAMERA_CHANNELS, FloatArray, MaskArray


@dataclass(frozen=True, slots=True)
class Tracks:
    """N boxes of one camera frame."""

    stamp_ns: int
    boxes: FloatArray  # (N, 5) CAMERA_CHANNELS; depth NaN when unknown
    subjects: tuple[str, ...]  # N, as recorded; empty string when unknown
    track_ids: tuple[str, ...]  # N
    confidence: FloatArray  # (N,) of the detection


NO_FRAME = Tracks(0, np.zeros((0, len(CAMERA_CHANNELS)), np.float32), (), (),
                  np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class PhoneSamples:
    """Samples of P phones for the tick of the same frame."""

    names: tuple[str, ...]  # P, sorted
    ftm: FloatArray  # (P, 2) FTM_CHANNELS
    ftm_age_s: FloatArray  # (P,) inf when there is none
    ftm_mask: MaskArray  # (P,) true when new since the previous tick
    imu: FloatArray  # (P, C, 9) IMU_CHANNELS
    imu_mask: MaskArray  # (P, C)


@dataclass(frozen=True, slots=True)
class Match:
    """Assignment of a box to a subject."""

    subject: str
    box: int  # row of the frame's boxes
    confidence: float  # probability of the assignment, 0..1


class Associator(Protocol):
    """Assigns subjects to boxes. May be stateful: it is called once per frame, in order."""

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:
        """Return matches, at most one per subject; boxes without a match are dropped."""


class LabelAssociator:
    """Association by the subject labels that a recording or the camera driver provides.

    Of several boxes with one label, the one of highest detection confidence is matched.
    """

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:  # noqa: ARG002
        """Match labels; samples of phones are ignored."""
        best: dict[str, int] = {}
        for box, subject in enumerate(tracks.subjects):
            if not subject:
                continue
            if subject not in best or tracks.confidence[box] > tracks.confidence[best[subject]]:
                best[subject] = box
        return [Match(subject, box, 1.0) for subject, box in sorted(best.items())]


def attach_boxes(
    frame: Tracks, matches: Sequence[Match], subjects: tuple[str, ...]
) -> tuple[tuple[str, ...], FloatArray, FloatArray, MaskArray]:
    """Return track ids (S), association (S,), boxes (S, 5) and their mask (S,) of `subjects`.

    A box of unknown depth contributes its track id but no measurement.
    """
    track_ids = [''] * len(subjects)
    association = np.zeros(len(subjects), np.float32)
    camera = np.zeros((len(subjects), len(CAMERA_CHANNELS)), np.float32)
    mask = np.zeros(len(subjects), bool)
    rows = {subject: row for row, subject in enumerate(subjects)}
    for match in matches:
        row, box = rows[match.subject], frame.boxes[match.box]
        track_ids[row] = frame.track_ids[match.box]
        association[row] = match.confidence
        if np.isfinite(box[2]):
            camera[row], mask[row] = box, True
    return tuple(track_ids), association, camera, mask

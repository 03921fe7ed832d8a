"""Which person in the picture carries which phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from utt_ros.types import CAMERA_CHANNELS, FloatArray, MaskArray


@dataclass(frozen=True, slots=True)
class Tracks:
    """The boxes of one camera frame, N in all."""

    stamp_ns: int
    boxes: FloatArray  # (N, 5) CAMERA_CHANNELS; depth NaN when unknown
    subjects: tuple[str, ...]  # N, as recorded; empty string when unknown
    track_ids: tuple[str, ...]  # N
    confidence: FloatArray  # (N,) of the detection


NO_FRAME = Tracks(0, np.zeros((0, len(CAMERA_CHANNELS)), np.float32), (), (),
                  np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class PhoneSamples:
    """What the area's phones measured for the tick of the same frame, P in all."""

    names: tuple[str, ...]  # P, sorted
    ftm: FloatArray  # (P, 2) FTM_CHANNELS
    ftm_age_s: FloatArray  # (P,) inf when there is none
    ftm_mask: MaskArray  # (P,) true when new since the previous tick
    imu: FloatArray  # (P, C, 9) IMU_CHANNELS
    imu_mask: MaskArray  # (P, C)


@dataclass(frozen=True, slots=True)
class Match:
    """A box that belongs to a subject."""

    subject: str
    box: int  # row of the frame's boxes
    confidence: float  # that the box is this subject, 0..1


class Associator(Protocol):
    """Names the people in a frame. It may keep a state: it sees every frame once, in order."""

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:
        """Matches, at most one per subject; a box that no match names is left out."""


class LabelAssociator:
    """Takes the subject that the recording, or the camera's driver, wrote beside the box.

    Of several boxes with one label the one of highest detection confidence counts.
    """

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:  # noqa: ARG002
        """Match labels; the phones' samples are not needed."""
        best: dict[str, int] = {}
        for box, subject in enumerate(tracks.subjects):
            if not subject:
                continue
            if subject not in best or tracks.confidence[box] > tracks.confidence[best[subject]]:
                best[subject] = box
        return [Match(subject, box, 1.0) for subject, box in sorted(best.items())]


def place(
    frame: Tracks, matches: Sequence[Match], subjects: tuple[str, ...]
) -> tuple[tuple[str, ...], FloatArray, FloatArray, MaskArray]:
    """Track ids (S), association (S,), boxes (S, 5) and their mask (S,) of these subjects.

    A box of unknown depth leaves its track id but no measurement.
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

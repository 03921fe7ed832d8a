"""Moments at which somebody must say whose phone is whose, from recordings with labels removed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from utt_ros.association.candidates import CandidateHistory, Candidates
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.association_types import PhoneSamples, Tracks
from utt_ros.training.recordings import Recording
from utt_ros.types import SyncedBatch

LOST_S = 1.0  # a tracker that has not seen somebody for so long gives them a new id [R]
EVERY_TICKS = 10
MAX_TICKS = 100


@dataclass(frozen=True, slots=True)
class Encounter:
    """What a method is shown, and what it must find, which it is not shown."""

    area: AreaSettings
    sequence: str
    seen: Candidates
    owners: npt.NDArray[np.intp]  # (K,) row of the phone of each track

    def last(self, ticks: int) -> 'Encounter':
        """The last ticks alone, with the tracks that were there from the first of them."""
        seen = self.seen.last(ticks)
        slack = round(0.3 / seen.period)  # a detector misses somebody now and then
        rows = np.flatnonzero(seen.first_seen <= min(slack, ticks // 3))
        return replace(self, seen=seen.of_tracks(rows), owners=self.owners[rows])


def encounters(
    recording: Recording, shape: WindowSettings, *, every: int = EVERY_TICKS,
    longest: int = MAX_TICKS, phones: int = 2,
) -> Iterator[Encounter]:
    """Every so manyth tick at which somebody is seen and so many phones or more are there."""
    history = CandidateHistory(longest, shape)
    namer = _Namer()
    for number, batch in enumerate(recording.batches):
        if not batch.camera_tick:
            continue
        history.push(*namer.strip(batch), batch.epoch)
        if (number + 1) % every:
            continue
        seen = history.candidates()
        wanted = [namer.owner[track] for track in seen.track_ids]
        rows = [row for row, name in enumerate(wanted) if name in seen.phones]
        if rows and len(seen.phones) >= phones:
            owners = [seen.phones.index(wanted[row]) for row in rows]
            yield Encounter(
                recording.area, recording.sequence, seen.of_tracks(rows),
                np.array(owners, np.intp))


def crowd(
    found: Sequence[Encounter], phones: int, rng: np.random.Generator,
) -> Iterator[Encounter]:
    """The same encounters among more phones: of people who walked the area in other sequences.

    As many are added as there are, up to `phones` in all; nobody in view carries them.
    """
    for one in found:
        others = [other for other in found if other.area.area == one.area.area
                  and other.sequence != one.sequence]
        seen, place = one.seen, one.seen.ticks
        while others and len(seen.phones) < phones:
            other = others[int(rng.integers(len(others)))].seen
            if other.ticks == place:
                seen = _beside(seen, other, int(rng.integers(len(other.phones))))
        yield replace(one, seen=seen)


def _beside(seen: Candidates, other: Candidates, phone: int) -> Candidates:
    """The candidates with one more phone."""
    columns = {
        name: np.concatenate([getattr(seen, name), getattr(other, name)[phone:phone + 1]])
        for name in ('ftm', 'ftm_mask', 'imu', 'imu_mask')}
    name = f'{other.phones[phone]}, passer-by {len(seen.phones)}'
    return replace(seen, phones=(*seen.phones, name), **columns)


class _Namer:
    """Gives tracks numbers that say nothing of their owners, as a tracker does."""

    def __init__(self) -> None:
        self.owner: dict[str, str] = {}  # track -> subject
        self._current: dict[str, tuple[str, int]] = {}  # subject -> track and when last seen

    def strip(self, batch: SyncedBatch) -> tuple[Tracks, PhoneSamples]:
        """A tick as it looks to somebody who knows no labels: boxes from left to right."""
        boxes = np.flatnonzero(batch.camera_mask)
        boxes = boxes[np.argsort(batch.camera[boxes, 0], kind='stable')]
        ids = tuple(self._name(batch.subjects[row], batch.stamp_ns) for row in boxes)
        carried = np.flatnonzero(batch.imu_mask.any(1) | (batch.ftm_age_s <= LOST_S))
        tracks = Tracks(
            batch.stamp_ns, batch.camera[boxes], ('',) * len(ids), ids,
            np.ones(len(ids), np.float32))
        phones = PhoneSamples(
            tuple(batch.subjects[row] for row in carried), batch.ftm[carried],
            batch.ftm_age_s[carried], batch.ftm_mask[carried], batch.imu[carried],
            batch.imu_mask[carried])
        return tracks, phones

    def _name(self, subject: str, stamp_ns: int) -> str:
        name, last_ns = self._current.get(subject, ('', 0))
        if not name or not 0 <= stamp_ns - last_ns <= LOST_S * 1e9:
            name = f'{len(self.owner):04d}'
            self.owner[name] = subject
        self._current[subject] = (name, stamp_ns)
        return name

"""Association as the synchronizer uses it: tracks without labels, matched twice a second.

Everything depends on stamps and measurements alone, so what runs live runs offline bit by bit; of
a model, as long as the same one is deployed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from utt_ros.association.assignment import Costs
from utt_ros.association.candidates import CandidateHistory, Candidates
from utt_ros.association.dead_reckoning import headings
from utt_ros.association.heading_offsets import Offsets
from utt_ros.association.hysteresis import Holding
from utt_ros.association.pair_features import NAMES, weigh
from utt_ros.association.pair_scorer import Scorer
from utt_ros.association.scorers import COLUMNS, SHIPPED, VIFI, read_scorer
from utt_ros.association.translation_cache import Recall
from utt_ros.association.vifi import VifiBipartite
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.association_types import LabelAssociator, Match, PhoneSamples, Tracks
from utt_ros.sync.settings import SyncSettings
from utt_ros.types import FloatArray

MODELLED = ('twin', 'fused')  # methods that ask the area's model
MAX_SPAN_S = 10.0  # evidence is gathered over
OLDER = 0.5  # weight of what was known that long ago
GONE_S = 0.5  # a track that was not seen for so long leaves its phone to others
CERTAIN = 0.95  # a match from which the offset of a compass is learned
SETTLED_S = 3.0  # and how old its track must be
MAX_TRACKS, MAX_PHONES = 64, 128  # that are matched at a time: the oldest, the first


class Judge:
    """How likely a track is a phone's, by one method, for one area."""

    def __init__(self, area: AreaSettings, method: str, scorer: Scorer) -> None:
        self.area, self.method, self.scorer = area, method, scorer
        self.recall, self.offsets = Recall(area.magnetic_yaw), Offsets()
        self._vifi = VifiBipartite(area, VIFI)
        self._columns = [] if method == 'vifi' else [
            NAMES.index(name) for name in COLUMNS[method]]

    def clear(self) -> None:
        """Forget everything but the model."""
        self.recall.clear()
        self.offsets.clear()

    def scores(self, seen: Candidates) -> Costs:
        """Log likelihood ratios (K, P) against the track having no phone."""
        return self.scorer(self.evidence(seen))

    def evidence(self, seen: Candidates) -> FloatArray:
        """What the method judges by (K, P, F)."""
        turned = self.offsets.of(seen.phones)
        if self.method == 'vifi':
            return vifi_evidence(self._vifi, seen, turned)
        angles, valid = headings(seen, self.area.magnetic_yaw)
        said = self.recall.hear(seen, valid)
        compass = (angles - turned[:, None]).astype(np.float32), valid
        return weigh(seen, self.area, compass, said)[..., self._columns]

    def learn(self, seen: Candidates, pairs: Sequence[tuple[int, int]], ticks: int) -> None:
        """Take the last ticks of pairs (track, phone) that are certain."""
        self.offsets.learn(
            seen, self.area, headings(seen, self.area.magnetic_yaw), pairs, ticks)


class LiveAssociator:
    """Keeps labels where there are any, and matches the other boxes to the other phones."""

    def __init__(self, judge: Judge, shape: WindowSettings, settings: SyncSettings) -> None:
        ticks = max(round(MAX_SPAN_S / shape.period), shape.ticks)
        self.judge = judge
        self.matches = 0  # how often phones were matched
        self._labels = LabelAssociator()
        self._history = CandidateHistory(ticks, shape)
        self._period_ns = round(settings.association_period * 1e9)
        self._slack_ns = round(shape.period * 1e9) // 2
        self._holding = Holding(
            settings.association_min_probability, settings.association_margin,
            round(settings.association_patience * 1e9))
        self._known: list[_Known] = []
        self._stamp_ns = self._matched_ns = 0

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:
        """Matches, at most one per subject."""
        if tracks.stamp_ns <= self._stamp_ns:
            self._clear()
        self._stamp_ns = tracks.stamp_ns
        labelled = list(self._labels.associate(tracks, phones))
        taken = {match.subject for match in labelled}
        self._holding.release(sorted(taken))
        boxes = _unlabelled(tracks)
        if not boxes and not self._holding.holds:
            return labelled
        self._history.push(_some_boxes(tracks, boxes), _without(phones, taken))
        if tracks.stamp_ns - self._matched_ns >= self._period_ns - self._slack_ns:
            self._match()
        holds = self._holding.holds
        found = {holds[tracks.track_ids[box]].phone: Match(
            holds[tracks.track_ids[box]].phone, box, holds[tracks.track_ids[box]].confidence)
            for box in boxes if tracks.track_ids[box] in holds}
        return sorted([*labelled, *found.values()], key=lambda match: match.subject)

    def _clear(self) -> None:
        self._known.clear()
        self._holding.holds.clear()
        self.judge.clear()
        self._matched_ns = 0

    def _match(self) -> None:
        seen = _bounded(self._history.candidates(unseen_s=GONE_S))
        since_ns, self._matched_ns = self._stamp_ns - self._matched_ns, self._stamp_ns
        if not seen.track_ids or not seen.phones:
            return
        self.matches += 1
        scores = self._with_older(seen, self.judge.scores(seen))
        self._holding.decide(self._stamp_ns, seen.track_ids, seen.phones, scores)
        ticks = min(max(1, round(since_ns / (seen.period * 1e9))), seen.ticks)
        self.judge.learn(seen, self._certain(seen), ticks)

    def _with_older(self, seen: Candidates, scores: Costs) -> Costs:
        """The scores plus part of what was known before the window that they speak of."""
        span_ns = round(seen.ticks * seen.period * 1e9) - self._slack_ns
        before = [each for each in self._known if self._stamp_ns - each.stamp_ns >= span_ns]
        if before:
            scores = scores + OLDER * before[-1].of(seen)
        self._known = [*(before[-1:]), *(
            each for each in self._known if self._stamp_ns - each.stamp_ns < span_ns),
            _Known(self._stamp_ns, seen.track_ids, seen.phones, scores)]
        return scores

    def _certain(self, seen: Candidates) -> list[tuple[int, int]]:
        old = seen.ages_s >= SETTLED_S
        holds = ((row, self._holding.holds.get(track)) for row, track in enumerate(seen.track_ids))
        return [(row, seen.phones.index(hold.phone)) for row, hold in holds
                if hold and old[row] and hold.confidence >= CERTAIN and hold.phone in seen.phones]


@dataclass(frozen=True, slots=True)
class _Known:
    """The scores of a match."""

    stamp_ns: int
    tracks: tuple[str, ...]
    phones: tuple[str, ...]
    scores: Costs  # (K, P)

    def of(self, seen: Candidates) -> Costs:
        """For these candidates (K', P'); 0 where nothing was known."""
        wide = np.zeros((len(seen.track_ids), len(seen.phones)))
        rows = [name in self.tracks for name in seen.track_ids]
        columns = [name in self.phones for name in seen.phones]
        wide[np.ix_(rows, columns)] = self.scores[np.ix_(
            [self.tracks.index(name) for name in seen.track_ids if name in self.tracks],
            [self.phones.index(name) for name in seen.phones if name in self.phones])]
        return wide


def make_associator(
    settings: SyncSettings, area: AreaSettings, shape: WindowSettings,
) -> LiveAssociator:
    """By the method of the settings, not `labels`. Raises SettingsError without its likelihood."""
    path = Path(settings.association_scorers) if settings.association_scorers else SHIPPED
    scorer = read_scorer(settings.association, path.expanduser())
    return LiveAssociator(Judge(area, settings.association, scorer), shape, settings)


def vifi_evidence(vifi: VifiBipartite, seen: Candidates, turned: Costs) -> FloatArray:
    """Cost, number of ranges and seconds of a track (K, P, 3)."""
    since = np.arange(seen.ticks) >= seen.first_seen[:, None]
    ranges = (seen.ftm_mask & since[:, None]).sum(2)
    seconds = np.broadcast_to(seen.ages_s[:, None], ranges.shape)
    return np.stack([vifi.cost(seen, turned), ranges, seconds], axis=-1).astype(np.float32)


def _unlabelled(tracks: Tracks) -> list[int]:
    """Boxes without a label; of several with one track's id the most certain."""
    best: dict[str, int] = {}
    for box, (subject, track) in enumerate(zip(tracks.subjects, tracks.track_ids, strict=True)):
        if subject or not track:
            continue
        if track not in best or tracks.confidence[box] > tracks.confidence[best[track]]:
            best[track] = box
    return sorted(best.values())


def _some_boxes(tracks: Tracks, boxes: Sequence[int]) -> Tracks:
    return Tracks(
        tracks.stamp_ns, tracks.boxes[boxes], ('',) * len(boxes),
        tuple(tracks.track_ids[box] for box in boxes), tracks.confidence[boxes])


def _without(phones: PhoneSamples, taken: set[str]) -> PhoneSamples:
    """The phones that no label names."""
    if taken.isdisjoint(phones.names):
        return phones
    rows = [row for row, name in enumerate(phones.names) if name not in taken]
    return PhoneSamples(
        tuple(phones.names[row] for row in rows), phones.ftm[rows], phones.ftm_age_s[rows],
        phones.ftm_mask[rows], phones.imu[rows], phones.imu_mask[rows])


def _bounded(seen: Candidates) -> Candidates:
    """As many tracks and phones as can be matched in time."""
    if len(seen.track_ids) > MAX_TRACKS:
        oldest = np.argsort(seen.first_seen, kind='stable')[:MAX_TRACKS]
        seen = seen.of_tracks(np.sort(oldest))
    if len(seen.phones) > MAX_PHONES:
        some = slice(MAX_PHONES)
        seen = replace(
            seen, phones=seen.phones[some], ftm=seen.ftm[some], ftm_mask=seen.ftm_mask[some],
            imu=seen.imu[some], imu_mask=seen.imu_mask[some])
    return seen

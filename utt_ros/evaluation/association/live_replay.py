"""Live association judged on recordings with labels removed: who is named, and where they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from time import perf_counter

import numpy as np
import numpy.typing as npt

from utt_ros.association.associator import make_associator
from utt_ros.association.translator import Translator
from utt_ros.evaluation.association.encounters import LOST_S
from utt_ros.evaluation.metrics import position as metrics
from utt_ros.settings import WindowSettings
from utt_ros.sync.association_types import Associator, LabelAssociator, Match, PhoneSamples, Tracks
from utt_ros.sync.offline_sync import synchronize
from utt_ros.sync.settings import SyncSettings
from utt_ros.training.recordings import Recording
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.onnx_model import OnnxRuntime
from utt_ros.types import Array, Frames, Session, SyncedBatch

AGES_S = (1.0, 3.0, 5.0, 10.0)
SLACK_S = 0.5  # tracks younger or older by so much count as of an age
CERTAIN = 0.9


@dataclass(frozen=True, slots=True)
class Seen:
    """N boxes of tracks, and whom a method took them for."""

    age_s: Array  # (N,) since the track appeared
    right: npt.NDArray[np.bool_]  # (N,) the owner was named
    named: npt.NDArray[np.bool_]  # (N,) somebody was named
    owned: npt.NDArray[np.bool_]  # (N,) the owner has a phone, and so has somebody else
    stranger: npt.NDArray[np.bool_]  # (N,) the owner has none
    confidence: Array  # (N,) in the name; 0 where nobody was named
    changes: int  # of the name of a track
    seconds: float  # of all tracks

    def at(self, age_s: float) -> float:
        """IDP: share that was named rightly at an age; NaN where no track lived that long."""
        some = self.owned & (np.abs(self.age_s - age_s) <= SLACK_S)
        return float(self.right[some].mean()) if some.any() else nan

    @property
    def idp(self) -> float:
        """At all ages."""
        return float(self.right[self.owned].mean()) if self.owned.any() else nan

    @property
    def wrong(self) -> float:
        """Share that was taken for somebody else."""
        some = self.owned
        return float((self.named & ~self.right)[some].mean()) if some.any() else nan

    @property
    def certain(self) -> tuple[float, float]:
        """Share that was named with certainty, and of these the share that was right."""
        some = self.owned & (self.confidence >= CERTAIN)
        count = max(int(self.owned.sum()), 1)
        return float(some.sum() / count), float(self.right[some].mean()) if some.any() else nan

    @property
    def strangers(self) -> tuple[float, float]:
        """Of the boxes of people without a phone, the share that was given one, with certainty."""
        given, sure = (part[self.stranger] for part in (self.named, self.confidence >= CERTAIN))
        return (float(given.mean()), float(sure.mean())) if len(given) else (nan, nan)


@dataclass(frozen=True, slots=True)
class Run:
    """A session through the synchronizer and, by choice, a twin."""

    seen: Seen
    errors_m: Array  # (M,) of positions, where the camera had the person in view
    all_errors_m: Array  # of all positions
    cost_ms: Array  # (F,) of associating a frame


def strip(session: Session) -> tuple[Session, dict[str, str]]:
    """The session with numbers for labels, as a tracker gives them, and whose they are."""
    frames = session.frames
    if frames is None:
        return session, {}
    owners: dict[str, str] = {}
    current: dict[str, tuple[str, int]] = {}
    ids = []
    for row, stamp_ns in enumerate(frames.stamps_ns.tolist()):
        for box in range(int(frames.starts[row]), int(frames.starts[row + 1])):
            subject = frames.subjects[box]
            name, last_ns = current.get(subject, ('', 0))
            if not name or stamp_ns - last_ns > LOST_S * 1e9:
                name = f'{len(owners) + 1:04d}'
                owners[name] = subject
            current[subject] = name, stamp_ns
            ids.append(name)
    bare = Frames(frames.stamps_ns, frames.starts, frames.boxes, ('',) * len(ids), tuple(ids))
    return replace(session, frames=bare), owners


def without_phone(session: Session) -> tuple[Session, str]:
    """The session in which the first phone was left at home, and whose it was."""
    gone = min(session.phones)
    return replace(session, phones={
        name: phone for name, phone in session.phones.items() if name != gone}), gone


def run(
    recording: Recording, shape: WindowSettings, method: str, translator: Translator | None,
    runtime: OnnxRuntime | None = None, *, twin: bool = True, session: Session | None = None,
) -> Run:
    """One method over one recording, labels removed; `labels` is told who is who."""
    bare, owners = strip(session or recording.session)
    timed = _Timed(_Told(owners))
    if method != 'labels':
        live = make_associator(SyncSettings(association=method), recording.area, shape)
        live.judge.recall.translator = translator
        timed = _Timed(live)
    batches = list(synchronize(
        bare, modalities=recording.area.modalities, windows=shape, associator=timed))
    seen = _judge(bare, owners, batches)
    errors: tuple[Array, Array] = (np.zeros(0), np.zeros(0))
    if twin:
        engine = TwinEngine(recording.area, shape)
        if runtime is not None:
            engine.deploy(runtime)
        errors = _follow(engine, bare, owners, batches)
    return Run(seen, *errors, np.array(timed.ms))


class _Told(LabelAssociator):
    """Knows whose tracks are whose."""

    def __init__(self, owners: dict[str, str]) -> None:
        self._owners = owners

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:
        names = tuple(self._owners[track] for track in tracks.track_ids)
        return super().associate(replace(tracks, subjects=names), phones)


class _Timed:
    """Measures an associator."""

    def __init__(self, inner: Associator) -> None:
        self._inner, self.ms = inner, [0.0]

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:
        begin_s = perf_counter()
        matches = self._inner.associate(tracks, phones)
        self.ms.append(1e3 * (perf_counter() - begin_s))
        return matches


def _boxes(frames: Frames) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Stamps of frames and the tracks in them, where a box has a depth."""
    known: npt.NDArray[np.bool_] = np.asarray(np.isfinite(frames.boxes).all(1))
    for row, stamp_ns in enumerate(frames.stamps_ns.tolist()):
        boxes = range(int(frames.starts[row]), int(frames.starts[row + 1]))
        yield stamp_ns, tuple(frames.track_ids[box] for box in boxes if known[box])


def _judge(session: Session, owners: dict[str, str], batches: Sequence[SyncedBatch]) -> Seen:
    there = dict(_boxes(session.frames)) if session.frames else {}
    first_ns: dict[str, int] = {}
    last: dict[str, str] = {}  # track -> name
    rows, changes, period_s = [], 0, 0.1
    for batch in batches:
        if not batch.camera_tick:
            continue
        names = {track: row for row, track in enumerate(batch.track_ids) if track}
        phones = {name for row, name in enumerate(batch.subjects)
                  if batch.imu_mask[row].any() or np.isfinite(batch.ftm_age_s[row])}
        for track in there.get(batch.stamp_ns, ()):
            begin_ns = first_ns.setdefault(track, batch.stamp_ns)
            row = names.get(track)
            name = batch.subjects[row] if row is not None else ''
            changes += bool(name) and last.setdefault(track, name) != name
            last |= {track: name} if name else {}
            rows.append((
                (batch.stamp_ns - begin_ns) / 1e9, name == owners[track], bool(name),
                owners[track] in phones and len(phones) > 1, owners[track] not in phones,
                float(batch.association[row]) if row is not None else 0.0))
    columns = list(zip(*rows, strict=True)) or [()] * 6
    return Seen(
        np.array(columns[0], float), np.array(columns[1], bool), np.array(columns[2], bool),
        np.array(columns[3], bool), np.array(columns[4], bool), np.array(columns[5], float),
        changes, period_s * len(rows))


def _follow(
    engine: TwinEngine, session: Session, owners: dict[str, str], batches: Sequence[SyncedBatch],
) -> tuple[Array, Array]:
    """Errors [m] of a twin's positions: of whom the camera has in view, and of everybody."""
    there = dict(_boxes(session.frames)) if session.frames else {}
    in_view, everybody = [], []
    for batch in batches:
        said = engine.step(batch)
        visible = {owners[track] for track in there.get(batch.stamp_ns, ())}
        for row, name in enumerate(said.subjects):
            error = _error(session, name, said.stamp_ns, said.position[row])
            if np.isfinite(error):
                everybody.append(error)
                if name in visible:
                    in_view.append(error)
    return np.array(in_view, float), np.array(everybody, float)


def _error(session: Session, name: str, stamp_ns: int, position: npt.NDArray[np.float32]) -> float:
    """Distance to the truth [m]; NaN where it is not known."""
    truth = session.truth.get(name)
    if truth is None:
        return nan
    return float(metrics.position_errors(truth, np.array([stamp_ns]), position[None])[0])


def table(found: Mapping[str, tuple[Run, Run | None]]) -> str:
    """Markdown: by method what it did, and what it did where somebody had left the phone."""
    ages = [f'{age:g} s' for age in AGES_S]
    title = ['method', *ages, 'all', 'wrong', 'certain', 'of these right', 'changes/min',
             'strangers named / certainly', 'seen, median / mean / p90 m', 'all, median / p90 m',
             'ms/frame p50 / p99']
    lines = [title, ['---'] * len(title)]
    for method, (one, left) in found.items():
        seen, (share, right) = one.seen, one.seen.certain
        lines.append([
            f'`{method}`', *(f'{seen.at(age):.3f}' for age in AGES_S), f'{seen.idp:.3f}',
            f'{seen.wrong:.3f}', f'{share:.3f}', f'{right:.3f}',
            f'{60.0 * seen.changes / max(seen.seconds, 1.0):.2f}',
            ' / '.join(f'{share:.3f}' for share in left.seen.strangers) if left else '',
            _quantiles(one.errors_m, 'median_m', 'mean_m', 'p90_m'),
            _quantiles(one.all_errors_m, 'median_m', 'p90_m'),
            f'{_part(one.cost_ms, 50)} / {_part(one.cost_ms, 99)}'])
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _part(values: Array, percent: float) -> str:
    return f'{np.percentile(values, percent):.2f}' if values.size else '-'


def _quantiles(errors_m: Array, *names: str) -> str:
    values = metrics.error_quantiles(errors_m)
    return ' / '.join(f'{values[name]:.2f}' if errors_m.size else '-' for name in names)


def join(parts: Sequence[Run]) -> Run:
    """Several runs as one."""
    def column(name: str) -> Array:
        return np.concatenate([getattr(part.seen, name) for part in parts])
    seen = Seen(
        column('age_s'), column('right').astype(bool), column('named').astype(bool),
        column('owned').astype(bool), column('stranger').astype(bool), column('confidence'),
        sum(part.seen.changes for part in parts), sum(part.seen.seconds for part in parts))
    return Run(seen, *(np.concatenate([getattr(part, name) for part in parts])
                       for name in ('errors_m', 'all_errors_m', 'cost_ms')))

"""Recorded sessions for experiments: ticks, windows and splits, from any layout that is known.

Splits are by whole sequences, as recorded.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from utt_ros.errors import SessionError
from utt_ros.evaluation.results import Names
from utt_ros.sessions.session_bags import find_sessions, is_bag, read_area, read_session
from utt_ros.sessions.vifi.dataset_layout import Recording as VifiRecording
from utt_ros.sessions.vifi.dataset_layout import area_settings, find_recordings
from utt_ros.sessions.vifi.importer import read_recording
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.sync.window_buffer import cut_windows
from utt_ros.training import cache
from utt_ros.types import Session, SyncedBatch, Windows

SPLITS = ('train', 'val', 'test')
HELD_OUT = 0.15  # of an area's sequences, where a split was not recorded
FORMAT = '1'  # of the cache
CHUNK = 2**20
WORTH_A_POOL = 16  # sequences; fewer are read before processes have begun


@dataclass(frozen=True, slots=True)
class Recording:
    """One sequence of one area."""

    area: AreaSettings
    name: str
    split: str  # one of SPLITS
    batches: tuple[SyncedBatch, ...]
    session: Session  # with its truth

    @property
    def sequence(self) -> str:
        """The name that is unique in the data."""
        return f'{self.area.area}/{self.name}'


@dataclass(frozen=True, slots=True)
class Cut:
    """Windows and the sequences they are from."""

    windows: Windows
    sequences: Names  # (N,) area/name

    def __len__(self) -> int:
        return len(self.windows)


@dataclass(frozen=True, slots=True)
class Data:
    """All recordings, in order of areas and names."""

    recordings: tuple[Recording, ...]
    shape: WindowSettings
    fingerprint: str  # of the files
    notes: tuple[str, ...] = ()  # what a reader of results must know of the splits

    @property
    def areas(self) -> dict[str, AreaSettings]:
        """Settings of the areas, by name."""
        return {item.area.area: item.area for item in self.recordings}

    @property
    def modalities(self) -> tuple[str, ...]:
        """All that some area has, sorted."""
        return tuple(sorted({name for area in self.areas.values() for name in area.modalities}))

    def of(self, split: str, area: str | None = None) -> tuple[Recording, ...]:
        """The recordings of a split, of one area or of all."""
        return tuple(item for item in self.recordings
                     if item.split == split and area in (None, item.area.area))

    def windows(
        self, split: str, area: str | None = None, *, stride: int | None = None,
        ticks: int | None = None,
    ) -> Cut:
        """Windows of `ticks` (default T + H, what training takes) at every `stride`-th (T).

        Raises SessionError when no recording is long enough for one.
        """
        span = self.shape.ticks + self.shape.horizon if ticks is None else ticks
        step = self.shape.ticks if stride is None else stride
        pieces, names = [], []
        for item in self.of(split, area):
            for windows in cut_windows(item.batches, self.shape, span, step):
                pieces.append(windows)
                names += [item.sequence] * len(windows)
        if not pieces:
            where = f' of area {area!r}' if area else ''
            raise SessionError(f'no {split} sequence{where} has {span} ticks on end')
        return Cut(join(pieces), np.array(names))


def join(pieces: Sequence[Windows]) -> Windows:
    """Windows of equal shape, one after the other; one at least."""
    return Windows(
        np.concatenate([piece.stamps_ns for piece in pieces]),
        tuple(name for piece in pieces for name in piece.subjects),
        {name: np.concatenate([piece.values[name] for piece in pieces])
         for name in pieces[0].values},
        {name: np.concatenate([piece.masks[name] for piece in pieces])
         for name in pieces[0].masks})


def load(folder: Path, cache_folder: Path, shape: WindowSettings | None = None) -> Data:
    """Read bags by area (recorded, imported or simulated) or a tree in the layout of Vi-Fi.

    What is read is kept in `cache_folder`, by the fingerprint of the files. Raises SessionError.
    """
    shape = shape or WindowSettings()
    sources = list(_sources(folder))
    mark = fingerprint(folder)
    keep = cache_folder / hashlib.sha256(f'{FORMAT} {mark} {shape}'.encode()).hexdigest()[:16]
    keep.mkdir(parents=True, exist_ok=True)
    read = partial(_read, keep=keep, shape=shape)
    missing = [source for source in sources if not _file(keep, source).exists()]
    if len(missing) >= WORTH_A_POOL:
        with ProcessPoolExecutor(mp_context=get_context('spawn')) as pool:
            for _ in pool.map(partial(_prepare, keep=keep, shape=shape), missing):
                pass
    recordings = [item for source in sources for item in read(source)]
    recordings, notes = _with_splits(recordings)
    return Data(tuple(recordings), shape, mark, tuple(notes))


def fingerprint(folder: Path) -> str:
    """SHA-256 of the names and contents of all files below a folder, hidden ones left out."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob('*')):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith('.') for part in parts):
            digest.update(f'{"/".join(parts)}\0{path.stat().st_size}\0'.encode())
            with path.open('rb') as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
    return digest.hexdigest()


Source = tuple[AreaSettings, str, Any]  # area, name of the session, what reads it


def _sources(folder: Path) -> Iterator[Source]:
    if not folder.is_dir():
        raise SessionError(f'{folder} is no folder')
    if any(is_bag(path.parent) for path in folder.glob('*/*/metadata.yaml')):
        for area, bags in find_sessions(folder).items():
            settings = read_area(folder / area)
            yield from ((settings, bag.name, bag) for bag in bags)
        return
    found = find_recordings(folder)
    areas = {name: area_settings(folder, name, found) for name in {item.area for item in found}}
    yield from ((areas[item.area], item.name, item) for item in found)


def _file(keep: Path, source: Source) -> Path:
    area, name, _ = source
    return keep / f'{area.area}.{name}.npz'


def _prepare(source: Source, keep: Path, shape: WindowSettings) -> None:
    """Fill the cache; what is read in a process of its own is not sent back."""
    _read(source, keep, shape)


def _read(source: Source, keep: Path, shape: WindowSettings) -> list[Recording]:
    """The recording, none when it has no tick."""
    area, name, where = source
    kept = cache.read(_file(keep, source))
    if kept is None:
        session = (read_recording(where)[0] if isinstance(where, VifiRecording)
                   else read_session(where, area.area))
        batches = tuple(synchronize(session, modalities=area.modalities, windows=shape))
        if not batches:
            return []
        cache.write(_file(keep, source), session, batches)
        kept = session, batches
    session, batches = kept
    return [Recording(area, name, session.split, batches, session)]


def _with_splits(recordings: Sequence[Recording]) -> tuple[list[Recording], list[str]]:
    """Hold out whole sequences, the last of each area, for splits that were not recorded."""
    found, notes = list(recordings), []
    for split in ('test', 'val'):
        if any(item.split == split for item in found):
            continue
        held = [item.sequence for area in sorted({item.area.area for item in found})
                for item in _last([each for each in found if each.area.area == area])]
        found = [replace(item, split=split) if item.sequence in held else item for item in found]
        notes.append(f'no {split} split was recorded: held out {", ".join(held) or "nothing"}')
    unnamed = [item.sequence for item in found if item.split not in SPLITS]
    if unnamed:
        notes.append(f'{len(unnamed)} sequences of no split are for training')
    return [replace(item, split='train') if item.sequence in unnamed else item
            for item in found], notes


def _last(recordings: Sequence[Recording]) -> list[Recording]:
    free = [item for item in recordings if item.split not in ('test', 'val')]
    count = min(max(1, round(HELD_OUT * len(recordings))), len(free) - 1)
    return free[len(free) - count:] if count > 0 else []

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

"""Recorded sequences for training and evaluation: ticks, windows and splits.

Bags by area and the layout of Vi-Fi are both read. Splits are by whole sequences, as recorded.
"""

import hashlib
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from utt_ros.errors import SessionError
from utt_ros.sessions.session_bags import (
    find_sessions,
    is_readable_bag,
    read_area,
    read_belief,
    read_session,
)
from utt_ros.sessions.vifi.dataset_layout import VifiRecording, area_settings, find_recordings
from utt_ros.sessions.vifi.importer import read_recording
from utt_ros.settings import AreaSettings, WindowSettings, from_mapping
from utt_ros.sync.offline_sync import synchronize
from utt_ros.sync.window_buffer import cut_windows
from utt_ros.training.dataset import concatenate_windows
from utt_ros.training.recording_cache import read_cache, write_cache
from utt_ros.training.recording_overlap import check_clashes, copied_sequences
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import NameArray, Session, SyncedBatch, Windows

SPLITS = ('train', 'val', 'test')
HELD_OUT = 0.15  # of an area's sequences, where a split was not recorded
FORMAT = '1'  # of the cache
CHUNK = 2**20
MIN_POOL_SEQUENCES = 16  # fewer are read before a pool of processes has started


SequenceSource = tuple[AreaSettings, str, Any]
"""Area, name of the session, and its bag or recording of Vi-Fi."""


@dataclass(frozen=True, slots=True)
class RecordedSequence:
    """One recorded sequence of one area."""

    area: AreaSettings
    name: str
    split: str  # one of SPLITS
    batches: tuple[SyncedBatch, ...]
    session: Session  # with its truth
    belief: ParticleFilterSettings = field(default_factory=ParticleFilterSettings)  # of its twin

    @property
    def sequence(self) -> str:
        """Name that is unique in the recordings: area/name."""
        return f'{self.area.area}/{self.name}'


@dataclass(frozen=True, slots=True)
class SequenceWindows:
    """N windows and the sequences that they are from."""

    windows: Windows
    sequences: NameArray  # (N,) area/name

    def __len__(self) -> int:
        return len(self.windows)


@dataclass(frozen=True, slots=True)
class Recordings:
    """All recorded sequences, in order of areas and names."""

    recordings: tuple[RecordedSequence, ...]
    window: WindowSettings
    fingerprint: str  # of the files
    notes: tuple[str, ...] = ()  # about the splits, for readers of results

    @property
    def areas(self) -> dict[str, AreaSettings]:
        """Settings of the areas, by name."""
        return {item.area.area: item.area for item in self.recordings}

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities of any area, sorted."""
        return tuple(sorted({name for area in self.areas.values() for name in area.modalities}))

    def of(self, split: str, area: str | None = None) -> tuple[RecordedSequence, ...]:
        """Return the sequences of a split, of one area or of all."""
        return tuple(item for item in self.recordings
                     if item.split == split and area in (None, item.area.area))

    def windows(
        self, split: str, area: str | None = None, *, stride: int | None = None,
        ticks: int | None = None,
    ) -> SequenceWindows:
        """Cut windows of `ticks` (default T + H, as for training) every `stride` ticks (T).

        Raises SessionError when no sequence is long enough for one.
        """
        length = self.window.ticks + self.window.horizon if ticks is None else ticks
        step = self.window.ticks if stride is None else stride
        pieces, names = [], []
        for item in self.of(split, area):
            for windows in cut_windows(item.batches, self.window, length, step):
                pieces.append(windows)
                names += [item.sequence] * len(windows)
        if not pieces:
            of_area = f' of area {area!r}' if area else ''
            raise SessionError(f'no {split} sequence{of_area} has {length} consecutive ticks')
        return SequenceWindows(concatenate_windows(pieces), np.array(names))


def load_recordings(
    folders: Path | Sequence[Path], cache_folder: Path, window: WindowSettings | None = None,
) -> Recordings:
    """Read bags by area (recorded, imported or simulated) or a tree in the layout of Vi-Fi.

    The bags of one area are read as well, from its folder, and one bag, beside its area file.
    Several folders are one set of recordings, whatever their order. Splits are held out where none
    of them has any, and sequences of a walk that is held out are left out of training.

    Sequences are cached in `cache_folder`, by the fingerprint of the files. Raises SessionError,
    also when folders have areas or sequences that clash.
    """
    window = window or WindowSettings()
    listed = [folders] if isinstance(folders, Path) else list(folders)
    sources = [(folder, list(_sources(folder))) for folder in listed]
    check_clashes([
        (folder, [(area, name) for area, name, _ in items]) for folder, items in sources])
    marks = [fingerprint(folder) for folder in listed]
    sequences = [item for mark, (_, of_folder) in zip(marks, sources, strict=True)
                 for item in _read_folder(of_folder, mark, cache_folder, window)]
    mark = marks[0]
    if len(listed) > 1:
        mark = hashlib.sha256('\n'.join(sorted(marks)).encode()).hexdigest()
        sequences.sort(key=lambda item: (item.area.area, item.name))
    sequences, notes = _with_splits(sequences)
    sequences, left_out = _without_held_out_walks(sequences)
    return Recordings(tuple(sequences), window, mark, (*notes, *left_out))


def _read_folder(
    sources: Sequence[SequenceSource], mark: str, cache_folder: Path, window: WindowSettings,
) -> Iterator[RecordedSequence]:
    cache = cache_folder / hashlib.sha256(f'{FORMAT} {mark} {window}'.encode()).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    missing = [source for source in sources if not _cache_file(cache, source).exists()]
    if len(missing) >= MIN_POOL_SEQUENCES:
        with ProcessPoolExecutor(
                mp_context=get_context('spawn'), initializer=signal.signal,
                initargs=(signal.SIGINT, signal.SIG_IGN)) as pool:
            for _ in pool.map(partial(_fill_cache, cache=cache, window=window), missing):
                pass
    for source in sources:
        yield from _read_sequence(source, cache, window)


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 of names and contents of all files below a folder, except hidden ones."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob('*')):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith('.') for part in parts):
            digest.update(f'{"/".join(parts)}\0{path.stat().st_size}\0'.encode())
            with path.open('rb') as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[SequenceSource]:
    if not folder.is_dir():
        raise SessionError(f'{folder} is not a folder')
    if any(is_readable_bag(path) for path in folder.glob('[!.]*/[!.]*')):
        for area, bags in find_sessions(folder).items():
            settings = read_area(folder / area)
            yield from ((settings, bag.name, bag) for bag in bags)
        return
    bags = [path for path in (folder, *sorted(folder.glob('[!.]*'))) if is_readable_bag(path)]
    if bags:
        settings = read_area(bags[0].parent)
        yield from ((settings, bag.name, bag) for bag in bags)
        return
    recordings = find_recordings(folder)
    areas = {name: area_settings(folder, name, recordings)
             for name in {item.area for item in recordings}}
    yield from ((areas[item.area], item.name, item) for item in recordings)


def _cache_file(cache: Path, source: SequenceSource) -> Path:
    area, name, _ = source
    return cache / f'{area.area}.{name}.npz'


def _fill_cache(source: SequenceSource, cache: Path, window: WindowSettings) -> None:
    """Read a sequence in a pool process, which must not send it back."""
    _read_sequence(source, cache, window)


def _read_sequence(
    source: SequenceSource, cache: Path, window: WindowSettings,
) -> list[RecordedSequence]:
    """Return the sequence, or none when it has no tick."""
    area, name, origin = source
    cached = read_cache(_cache_file(cache, source))
    if cached is None:
        session = (
            read_recording(origin, area.ap_addresses)[0] if isinstance(origin, VifiRecording)
            else read_session(origin, area.area))
        batches = tuple(synchronize(
            session, modalities=area.modalities, windows=window,
            access_points=area.ap_addresses))
        if not batches:
            return []
        write_cache(_cache_file(cache, source), session, batches)
        cached = session, batches
    session, batches = cached
    belief = (ParticleFilterSettings() if isinstance(origin, VifiRecording) else
              from_mapping(ParticleFilterSettings, read_belief(origin.parent, area.area)))
    return [RecordedSequence(area, name, session.split, batches, session, belief)]


def _with_splits(
    sequences: Sequence[RecordedSequence],
) -> tuple[list[RecordedSequence], list[str]]:
    """Hold out whole sequences, the last of each area, for splits that were not recorded."""
    assigned, notes = list(sequences), []
    for split in ('test', 'val'):
        if any(item.split == split for item in assigned):
            continue
        held = [item.sequence for area in sorted({item.area.area for item in assigned})
                for item in _last([part for part in assigned if part.area.area == area])]
        assigned = [replace(item, split=split) if item.sequence in held else item
                    for item in assigned]
        notes.append(f'no {split} split was recorded: held out {", ".join(held) or "nothing"}')
    unnamed = [item.sequence for item in assigned if item.split not in SPLITS]
    if unnamed:
        notes.append(f'{len(unnamed)} sequences without a split are used for training')
    return [replace(item, split='train') if item.sequence in unnamed else item
            for item in assigned], notes


def _without_held_out_walks(
    sequences: Sequence[RecordedSequence],
) -> tuple[list[RecordedSequence], list[str]]:
    """Leave out what has a walk of the test split, and what trains on one of the val split."""
    notes = []
    for split, others in (('test', ('train', 'val')), ('val', ('train',))):
        copies = copied_sequences(
            {item.sequence: item.session for item in sequences if item.split in others},
            {item.sequence: item.session for item in sequences if item.split == split})
        sequences = [item for item in sequences if item.sequence not in copies]
        if copies:
            notes.append(f'left out, with a walk of the {split} split: {", ".join(copies)}')
    return list(sequences), notes


def _last(sequences: Sequence[RecordedSequence]) -> list[RecordedSequence]:
    free = [item for item in sequences if item.split not in ('test', 'val')]
    count = min(max(1, round(HELD_OUT * len(sequences))), len(free) - 1)
    return free[len(free) - count:] if count > 0 else []

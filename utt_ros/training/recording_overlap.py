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

"""Recordings that clash or overlap: one name in several folders, or one walk in several splits."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from utt_ros.errors import SessionError
from utt_ros.settings import AreaSettings
from utt_ros.types import PhoneStreams, Session

MIN_SHARED = 0.1  # of the inertial rows of the shorter of two recordings: one walk
MIN_SHARED_ROWS = 100  # different ones; phones that lie still may have a few in common
SEED = 0

Digests = npt.NDArray[np.uint64]


def check_clashes(folders: Sequence[tuple[Path, Sequence[tuple[AreaSettings, str]]]]) -> None:
    """Refuse areas with several settings and sequences of one name, given by folder.

    Raises SessionError with the names of both folders.
    """
    areas: dict[str, tuple[AreaSettings, Path]] = {}
    sequences: dict[str, Path] = {}
    for folder, listed in folders:
        for area, name in listed:
            settings, first = areas.setdefault(area.area, (area, folder))
            if f'{area.area}/{name}' in sequences:
                raise SessionError(f'{sequences[f"{area.area}/{name}"]} and {folder} both have '
                                   f'the sequence {area.area}/{name}: give one of them')
            if settings != area:
                raise SessionError(f'{first} and {folder} have different settings of the area '
                                   f'{area.area!r}: rename one of the two')
            sequences[f'{area.area}/{name}'] = folder


def copied_sequences(
    sessions: Mapping[str, Session], held_out: Mapping[str, Session],
) -> dict[str, str]:
    """Find sessions with a walk that a held-out one has too: its name by theirs.

    A walk is known by what its phone measured, whatever the time, the area or the companions.
    """
    phones = [(name, _digests(phone)) for name, session in held_out.items()
              for phone in session.phones.values()]
    if not phones:
        return {}
    digests = np.concatenate([rows for _, rows in phones])
    order = np.argsort(digests)
    digests = digests[order]
    owners = np.repeat(np.arange(len(phones)), [len(rows) for _, rows in phones])[order]
    copies = {}
    for name, session in sessions.items():
        for phone in session.phones.values():
            rows = _digests(phone)
            begin, end = (np.searchsorted(digests, rows, side) for side in ('left', 'right'))
            counts = np.bincount(
                owners[_concatenate_ranges(begin, end)], minlength=len(phones))
            shorter = np.minimum(len(rows), [len(other) for _, other in phones])
            shared = counts >= np.maximum(MIN_SHARED * shorter, MIN_SHARED_ROWS)
            if shared.any():
                copies[name] = phones[int(shared.argmax())][0]
    return copies


def _digests(phone: PhoneStreams) -> Digests:
    """Return digests of the different inertial rows of a phone, sorted."""
    words = np.ascontiguousarray(phone.inertial, np.float32).view(np.uint32).astype(np.uint64)
    factors = np.random.default_rng(SEED).integers(2**63, size=words.shape[1], dtype=np.uint64)
    digests: Digests = (words * (2 * factors + np.uint64(1))).sum(1, dtype=np.uint64)
    return np.unique(digests)


def _concatenate_ranges(
    begin: npt.NDArray[np.intp], end: npt.NDArray[np.intp],
) -> npt.NDArray[np.intp]:
    """Return the indices of all ranges, one after the other."""
    lengths = end - begin
    offsets = np.repeat(begin - np.cumsum(lengths) + lengths, lengths)
    return np.asarray(offsets + np.arange(lengths.sum()))

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

"""Disk cache of recorded sessions and their synchronised ticks, as plain arrays."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.files import write_atomically
from utt_ros.types import Frames, GroundTruth, PhoneStreams, Session, SyncedBatch

Arrays = Mapping[str, npt.NDArray[Any]]
PER_TICK = ('stamp_ns', 'epoch', 'sequence', 'camera_tick')
PER_SUBJECT = tuple(item.name for item in fields(SyncedBatch) if item.name not in PER_TICK)


def write_cache(path: Path, session: Session, batches: Sequence[SyncedBatch]) -> None:
    """Write a session and its ticks, at least one."""
    arrays: dict[str, npt.NDArray[Any]] = {
        'session': np.array([session.area, session.name, session.split])}
    if session.frames is not None:
        arrays |= _flat('frames', session.frames)
    for name, phone in session.phones.items():
        arrays |= _flat(f'phones/{name}', phone)
    for name, truth in session.truth.items():
        arrays |= _flat(f'truth/{name}', truth)
    for name in PER_TICK:
        arrays[f'ticks/{name}'] = np.array([getattr(batch, name) for batch in batches])
    arrays['ticks/starts'] = np.cumsum([0, *(len(batch.subjects) for batch in batches)])
    for name in PER_SUBJECT:
        arrays[f'ticks/{name}'] = np.concatenate(
            [np.asarray(getattr(batch, name)) for batch in batches])
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # its stub takes names for the flag
    write_atomically(path, buffer.getvalue())


def read_cache(path: Path) -> tuple[Session, tuple[SyncedBatch, ...]] | None:
    """Read a session and its ticks; None when the file is absent or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _session(arrays), tuple(_batches(arrays))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None


def _flat(prefix: str, record: Any) -> dict[str, npt.NDArray[Any]]:
    values = {item.name: getattr(record, item.name) for item in fields(record)}
    return {f'{prefix}/{name}': np.asarray(value)
            for name, value in values.items() if value is not None}


def _fields(arrays: Arrays, prefix: str) -> dict[str, Any]:
    """Return the fields of a record: tuples and strings of text, arrays of numbers."""
    values: dict[str, Any] = {}
    for name, value in arrays.items():
        if name.startswith(f'{prefix}/'):
            text = value.dtype.kind == 'U'
            plain = tuple(value.tolist()) if value.ndim else str(value)
            values[name.removeprefix(f'{prefix}/')] = plain if text else value
    return values


def _session(arrays: Arrays) -> Session:
    area, name, split = arrays['session'].tolist()
    phones = sorted({key.split('/')[1] for key in arrays if key.startswith('phones/')})
    truth = sorted({key.split('/')[1] for key in arrays if key.startswith('truth/')})
    frames = _fields(arrays, 'frames')
    for text in ('subjects', 'track_ids'):  # empty tuples are stored as numbers
        frames |= {text: tuple(frames[text])} if frames else {}
    return Session(
        area, name, split, Frames(**frames) if frames else None,
        {key: PhoneStreams(**_fields(arrays, f'phones/{key}')) for key in phones},
        {key: GroundTruth(**_fields(arrays, f'truth/{key}')) for key in truth})


def _batches(arrays: Arrays) -> list[SyncedBatch]:
    ticks = [arrays[f'ticks/{name}'].tolist() for name in PER_TICK]
    starts = arrays['ticks/starts'].tolist()
    columns: list[Any] = [
        tuple(arrays[f'ticks/{name}'].tolist()) if name in ('subjects', 'track_ids')
        else arrays[f'ticks/{name}'] for name in PER_SUBJECT]
    return [
        SyncedBatch(*tick, *(column[begin:end] for column in columns))
        for *tick, begin, end in zip(*ticks, starts, starts[1:], strict=False)]

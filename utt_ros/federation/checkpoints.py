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

"""Checkpoints of an aggregator: one file per round, written atomically, and a log of rounds.

    model-000000.safetensors    the initial model; always kept
    model-000007.safetensors    the newest few
    rounds.jsonl                one line per completed round, appended and synced
    lock                        held while an aggregator uses the folder

A trainer keeps model.safetensors, and the one before it as model.former.safetensors.

The checkpoint commits a round: it is written after the log line, so a line may be repeated after a
crash (the later one holds) but never missing.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from utt_ros.documents import json_checksum, load_json
from utt_ros.errors import ModelError
from utt_ros.federation.types import PLAIN, RoundStatus
from utt_ros.federation.wire import Tensors, pack, read_tensors, serialize
from utt_ros.files import remove_leftovers, sync_folder, write_atomically

LOG = 'rounds.jsonl'
EXTRAS = ('memory', 'residual')  # fields whose tensors are not the model; prefixes of their names
METADATA_CHECKSUM = 'metadata_checksum'  # of all other metadata
PATTERN = 'model-*.safetensors'


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The global model before a round."""

    federation: str
    round: int
    config: str  # JSON
    tensors: Tensors
    memory: Tensors = field(default_factory=dict)  # of a server optimizer
    residual: Tensors = field(default_factory=dict)  # that compressed payloads up to now left out
    compression: str = PLAIN  # that updates of this model may have


class CheckpointStore:
    """Folder of one aggregator; a second aggregator that opens it is refused.

    Raises ModelError where the folder can't be used, OSError where a later write fails.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        """`keep`: checkpoints besides the initial one."""
        self.folder = folder
        self._keep = keep
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / 'lock').open('w')
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._clean()
        except BlockingIOError:
            self._lock.close()
            raise ModelError(f'{folder} is in use by another aggregator') from None
        except OSError as err:
            raise ModelError(f'{folder} cannot hold the state: {err}') from err

    def _clean(self) -> None:
        """Remove remains of a killed process: temporary files, an incomplete line in the log."""
        remove_leftovers(self.folder)
        with (self.folder / LOG).open('ab+') as file:
            file.seek(0)
            content = file.read()
            file.truncate(content.rfind(b'\n') + 1)
        sync_folder(self.folder)

    def close(self) -> None:
        """Release the folder for another aggregator."""
        self._lock.close()

    def newest(self) -> tuple[Checkpoint | None, list[str]]:
        """Return the newest readable checkpoint, and the errors of newer ones.

        None in a new folder. Raises ModelError when there were rounds and no checkpoint is
        readable: a silent new start would discard a federation.
        """
        problems: list[str] = []
        paths = list_checkpoints(self.folder)
        for path in reversed(paths):
            checkpoint = _try_read(path, problems)
            if checkpoint is not None:
                return checkpoint, problems
        if paths or (self.folder / LOG).stat().st_size:
            raise ModelError(
                f'{self.folder} has rounds but no checkpoint that can be read '
                f'({"; ".join(problems) or "there is none"}): '
                'move the folder away to start a new federation'
            )
        return None, problems

    def save(self, checkpoint: Checkpoint, checksum: str) -> None:
        """Write a checkpoint, then remove old ones.

        `checksum`: of the wire form of its tensors.
        """
        path = self.folder / f'model-{checkpoint.round:06d}.safetensors'
        write_checkpoint(path, checkpoint, checksum)
        for path in list_checkpoints(self.folder)[1:-self._keep]:
            path.unlink()

    def log(self, closed: RoundStatus) -> None:
        """Append one completed round, durably."""
        line = json.dumps(asdict(closed), sort_keys=True, allow_nan=False) + '\n'
        with (self.folder / LOG).open('ab', buffering=0) as file:
            size = file.tell()
            try:
                file.write(line.encode())
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise

    def rounds(self) -> list[RoundStatus]:
        """Return the completed rounds; raises ModelError when the log cannot be read."""
        return read_round_log(self.folder)


class LatestCheckpoint:
    """File with the newest checkpoint of a trainer; the one before it lies beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._former = path.with_name(f'{path.stem}.former{path.suffix}')

    @property
    def exists(self) -> bool:
        """Whether there is a checkpoint, readable or not."""
        return self.path.exists() or self._former.exists()

    def read(self) -> tuple[Checkpoint | None, list[str]]:
        """Return the newest readable checkpoint, and the errors of a newer one.

        What a killed process left is removed; a damaged newer checkpoint is kept under another
        name, so that it never replaces the readable one. Raises OSError.
        """
        problems: list[str] = []
        remove_leftovers(self.path.parent, self.path.name)
        for path in (self.path, self._former):
            checkpoint = _try_read(path, problems) if path.exists() else None
            if checkpoint is not None:
                return checkpoint, problems
            if path is self.path and path.exists():
                path.replace(path.with_name(f'{path.name}.damaged'))
        return None, problems

    def write(self, checkpoint: Checkpoint, checksum: str) -> None:
        """Write a newer checkpoint; `checksum` is that of the wire form of its tensors.

        Raises OSError.
        """
        if self.path.exists():
            self.path.replace(self._former)
        write_checkpoint(self.path, checkpoint, checksum)


class NullStore:
    """Stand-in for a `CheckpointStore` that writes nothing: a federation within one process."""

    def save(self, checkpoint: Checkpoint, checksum: str) -> None:
        pass

    def log(self, closed: RoundStatus) -> None:
        pass

    def rounds(self) -> list[RoundStatus]:
        return []


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoint files in a folder, oldest round first."""
    return sorted(folder.glob(PATTERN), key=lambda path: (len(path.name), path.name))


def _try_read(path: Path, problems: list[str]) -> Checkpoint | None:
    try:
        return read_checkpoint(path)
    except ModelError as err:
        problems.append(str(err))
        return None


def write_checkpoint(path: Path, checkpoint: Checkpoint, checksum: str) -> None:
    """Write one checkpoint atomically; `checksum`: of the wire form of its tensors."""
    metadata = {
        'federation': checkpoint.federation,
        'round': str(checkpoint.round),
        'config': checkpoint.config,
        'checksum': checksum,
        'compression': checkpoint.compression,
    }
    tensors = dict(checkpoint.tensors)
    for extra in EXTRAS:
        held: Tensors = getattr(checkpoint, extra)
        metadata[extra] = pack(held).checksum
        tensors |= {f'{extra}/{name}': tensor for name, tensor in held.items()}
    metadata[METADATA_CHECKSUM] = _metadata_checksum(metadata)
    write_atomically(path, serialize(tensors, metadata))


def read_checkpoint(path: Path) -> Checkpoint:
    """Read one checkpoint; raises ModelError for a damaged file or one of another format."""
    try:
        stored, metadata = read_tensors(path)
        extras = {extra: {name.removeprefix(f'{extra}/'): stored.pop(name)
                          for name in list(stored) if name.startswith(f'{extra}/')}
                  for extra in EXTRAS}
        checkpoint = Checkpoint(
            metadata['federation'], int(metadata['round']), metadata['config'], stored, **extras,
            compression=metadata.get('compression', PLAIN))
        checksums = ((metadata['checksum'], stored),
                     *((metadata.get(extra, pack({}).checksum), held)
                       for extra, held in extras.items()))
        written = metadata.get(METADATA_CHECKSUM)  # formerly there was none
    except (OSError, KeyError, ValueError) as err:
        raise ModelError(f'{path.name} is not a readable checkpoint: {err}') from err
    if written is not None and written != _metadata_checksum(metadata):
        raise ModelError(f'{path.name} has metadata other than those that were written')
    for checksum, part in checksums:
        actual = pack(part).checksum
        if actual != checksum:
            raise ModelError(
                f'{path.name} has checksum {actual[:12]}…: {checksum[:12]}… was written')
    return checkpoint


def _metadata_checksum(metadata: Mapping[str, str]) -> str:
    content = {name: text for name, text in metadata.items() if name != METADATA_CHECKSUM}
    return json_checksum(content)


def read_round_log(folder: Path) -> list[RoundStatus]:
    """Return the completed rounds in order; of a repeated round, the later line.

    An incomplete last line is skipped: its process was killed while writing it. Raises ModelError
    when the log cannot be read or another line is not a round.
    """
    try:
        lines = (folder / LOG).read_bytes().split(b'\n')[:-1]
    except OSError as err:
        raise ModelError(f'{folder / LOG}: {err}') from err
    rounds: dict[int, RoundStatus] = {}
    for number, line in enumerate(lines, start=1):
        try:
            closed = RoundStatus(**load_json(line))
        except (ValueError, TypeError) as err:
            raise ModelError(f'{folder / LOG}, line {number} is not a round: {err}') from err
        rounds[closed.round] = closed
    return [rounds[number] for number in sorted(rounds)]

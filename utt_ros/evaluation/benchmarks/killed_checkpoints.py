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

"""Kills of processes while they write checkpoints, and what is then readable."""

import multiprocessing
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from utt_ros.errors import ModelError, UttError
from utt_ros.evaluation.benchmarks.killed_writers import START_SEC, KillReport
from utt_ros.federation.checkpoints import Checkpoint, CheckpointStore, LatestCheckpoint
from utt_ros.federation.types import RoundStatus
from utt_ros.federation.wire import pack

WRITING_SEC = (0.0, 0.12)  # from the first write to the kill
TENSOR_SIZES = (400, 300)  # 480 kB, as a model of width 64
KEPT = 3  # checkpoints of an aggregator besides the initial one
FEDERATION = 'kills'
ROUND = struct.Struct('!q')


def kill_checkpoint_writers(folder: Path, kills: int, seed: int = 0) -> list[KillReport]:
    """Kill writers of a trainer's and of an aggregator's checkpoints at random times.

    Lost [rounds]: between the last write that returned and what the next start reads. A folder is
    used by one writer after the other.
    """
    try:
        return [_kill_writers(kind, folder / kind.__name__, kills, seed)
                for kind in (TrainerState, AggregatorState)]
    finally:
        forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - it stays else


class TrainerState:
    """State folder of a trainer."""

    def __init__(self, folder: Path) -> None:
        self._stored = LatestCheckpoint(folder / 'model.safetensors')

    def newest_round(self) -> int:
        """Read as a start does; -1: nothing. Raises ModelError when no round is readable."""
        checkpoint, problems = self._stored.read()
        if checkpoint is None and problems:
            raise ModelError('; '.join(problems))
        return -1 if checkpoint is None else checkpoint.round

    def write(self, checkpoint: Checkpoint) -> None:
        self._stored.write(checkpoint, pack(checkpoint.tensors).checksum)

    def close(self) -> None:
        pass


class AggregatorState:
    """State folder of an aggregator."""

    def __init__(self, folder: Path) -> None:
        self._store = CheckpointStore(folder, KEPT)

    def newest_round(self) -> int:
        """Read as a start does; -1: nothing. Raises ModelError when no round is readable."""
        checkpoint, _ = self._store.newest()
        rounds = [closed.round for closed in self._store.rounds()]
        if rounds != list(range(1, len(rounds) + 1)):
            raise ModelError(f'the log of rounds has gaps: {rounds[-5:]}')
        return -1 if checkpoint is None else checkpoint.round

    def write(self, checkpoint: Checkpoint) -> None:
        if checkpoint.round:
            self._store.log(RoundStatus(
                checkpoint.federation, checkpoint.round, 'completed', 1, 0.0, {'area': 1}, {}, 0,
                0, 0.0))
        self._store.save(checkpoint, pack(checkpoint.tensors).checksum)

    def close(self) -> None:
        self._store.close()


_State = type[TrainerState] | type[AggregatorState]


def _kill_writers(kind: _State, folder: Path, kills: int, seed: int) -> KillReport:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    problems: list[str] = []
    lost = left = 0
    for number in range(kills):
        written = _kill_one(kind, folder, rng.uniform(*WRITING_SEC))
        try:
            state = kind(folder)
            lost = max(lost, written - state.newest_round())
            state.close()
        except Exception as err:  # noqa: BLE001 - whatever a start raises is the finding
            problems.append(f'kill {number}: {type(err).__name__}: {err}')
        left = max(left, len([path for path in folder.iterdir() if path.name.startswith('.')]))
    return KillReport(kills, len(problems), float(lost), 'rounds', left, tuple(problems))


def _kill_one(kind: _State, folder: Path, seconds: float) -> int:
    """Start a writer and kill it later; return the last round whose write returned."""
    context = multiprocessing.get_context('forkserver')  # a start takes a few milliseconds
    context.set_forkserver_preload([__name__])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_write_rounds, args=(kind, folder, sender), daemon=True)
    process.start()
    sender.close()
    with _reader(receiver):
        if not receiver.poll(START_SEC):
            raise UttError(f'{process.name} did not write within {START_SEC:g} s')
        time.sleep(seconds)
        process.kill()
        process.join()
        written = _last_round(receiver)
    if written < 0:
        raise UttError(f'{process.name} ended before it wrote')
    return written


@contextmanager
def _reader(receiver: Connection) -> Iterator[None]:
    try:
        yield
    finally:
        receiver.close()


def _last_round(receiver: Connection) -> int:
    newest = -1
    try:
        while True:
            (newest,) = ROUND.unpack(receiver.recv_bytes())
    except (EOFError, OSError, struct.error):  # an announcement that was cut is none
        return newest


def _write_rounds(kind: _State, folder: Path, sender: Connection) -> None:
    """Write rounds after the newest, and announce each whose write returned, until killed."""
    state = kind(folder)
    first = state.newest_round() + 1
    tensors = {'weight': np.zeros(TENSOR_SIZES, np.float32)}
    checkpoint = Checkpoint(FEDERATION, first, '{}', tensors)
    for number in count(first):
        tensors['weight'][:] = number
        state.write(replace(checkpoint, round=number))
        sender.send_bytes(ROUND.pack(number))

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

"""Full disks: what was written before stays readable, and nothing half-written is left.

A disk is a small tmpfs, or, without the right to mount one, a limit of the size of files.
"""

import multiprocessing
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks.killed_writers import MESSAGE_BYTES, TOPIC, read_everywhere
from utt_ros.federation.checkpoints import Checkpoint, CheckpointStore
from utt_ros.federation.wire import pack
from utt_ros.sessions.recorder import BagRecorder
from utt_ros.types import NS_PER_S

DISK_BYTES = 2 * 2**20
MAX_FILE_BYTES = 400_000  # where no disk can be mounted
CHECKPOINT_FLOATS = 30_000
FULL_SEC = 120.0
MESSAGE_SEC = 0.0005


@dataclass(frozen=True, slots=True)
class FullDiskReport:
    """Outcome of a disk that ran full."""

    disk: str  # what stood for it
    told: bool  # the writer has an error, and goes on
    lost: float  # seconds of a recording, rounds of a store
    files_left: int
    problem: str = ''  # why it cannot be read


@contextmanager
def small_disk(folder: Path) -> Iterator[str]:
    """Mount a disk of DISK_BYTES on an empty folder; yield what stands for it."""
    words = ['mount', '-t', 'tmpfs', '-o', f'size={DISK_BYTES}', 'tmpfs', str(folder)]
    mounted = shutil.which('mount') is not None and not subprocess.run(
        words, capture_output=True, check=False).returncode
    try:
        yield f'tmpfs of {DISK_BYTES >> 20} MiB' if mounted else (
            f'files of at most {MAX_FILE_BYTES // 1000} kB')
    finally:
        if mounted:
            subprocess.run(['umount', '-l', str(folder)], capture_output=True, check=True)  # noqa: S607


def record_until_full(folder: Path) -> FullDiskReport:
    """Fill a disk by a recording; lost [s]: between its last message and the error."""
    with small_disk(folder) as disk:
        full_ns = _in_child(_record, folder, disk)
        bag = folder / 'bag'
        try:
            stamps_ns = read_everywhere(bag)
        except Exception as err:  # noqa: BLE001 - whatever a reader raises is the finding
            return FullDiskReport(disk, bool(full_ns), 0.0, 0, f'{type(err).__name__}: {err}')
        left = len(list(bag.glob('.*')))
        return FullDiskReport(
            disk, bool(full_ns), (full_ns - max(stamps_ns, default=0)) / NS_PER_S, left)


def save_until_full(folder: Path) -> FullDiskReport:
    """Fill a disk by checkpoints of an aggregator; lost: acknowledged rounds."""
    with small_disk(folder) as disk:
        acknowledged = _in_child(_save, folder, disk)
        try:
            store = CheckpointStore(folder / 'state', keep=1000)
            newest, problems = store.newest()
            store.close()
        except UttError as err:
            return FullDiskReport(disk, bool(acknowledged), 0.0, 0, str(err))
        left = len(list((folder / 'state').glob('.*')))
        lost = acknowledged - (newest.round if newest else 0)
        return FullDiskReport(disk, bool(acknowledged), lost, left, '; '.join(problems))


def _in_child(write: Callable[[Path, Connection], None], folder: Path, disk: str) -> int:
    """Run a writer in a process of its own; return the number that it sends when it is full."""
    context = multiprocessing.get_context('spawn')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_limited, args=(write, folder, disk, sender), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(FULL_SEC):
            raise UttError(f'the disk was not full within {FULL_SEC:g} s')
        return int(receiver.recv())
    except EOFError:
        process.join()
        raise UttError(f'the writer ended with exit code {process.exitcode}') from None
    finally:
        process.kill()
        process.join()
        receiver.close()


def _limited(
    write: Callable[[Path, Connection], None], folder: Path, disk: str, full: Connection,
) -> None:
    if not disk.startswith('tmpfs'):
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    write(folder, full)


def _record(folder: Path, full: Connection) -> None:
    """Record numbered messages until there is an error; send its time, 0 if it never came."""
    recorder = BagRecorder(folder / 'bag')
    recorder.add(TOPIC)
    for number in count():
        data = b'\x00\x01\x00\x00%0*d' % (MESSAGE_BYTES, number)
        recorder.write(time.time_ns(), TOPIC.name, data)
        time.sleep(MESSAGE_SEC)
        if recorder.error:
            break
    full_ns = time.time_ns()
    recorder.close()
    full.send(full_ns)


def _save(folder: Path, full: Connection) -> None:
    """Save rounds until there is an error; send the last one that was saved without."""
    store = CheckpointStore(folder / 'state', keep=1000)
    for number in count():
        tensors = {'w': np.full(CHECKPOINT_FLOATS, number, np.float32),
                   'v': np.full(number * 1000, 1.0, np.float32)}
        try:
            store.save(Checkpoint('full', number, '{}', tensors), pack(tensors).checksum)
        except OSError:
            full.send(number - 1)
            return

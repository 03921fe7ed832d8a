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

"""Kills of processes while they write recordings, and what is then readable."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from mcap.reader import make_reader
from rosbags.rosbag2 import Reader

from utt_ros.errors import UttError
from utt_ros.sessions.bag_io import open_bag
from utt_ros.sessions.bag_topic import BagTopic
from utt_ros.sessions.recorder import BagRecorder
from utt_ros.types import NS_PER_S

START_SEC = 60.0  # limit for the start of a writer
MESSAGES_HZ = 250.0
MESSAGE_BYTES = 400
RECORDING_SEC = (0.0, 2.5)  # length of a recording before the kill
TOPIC = BagTopic('/number', 'std_msgs/msg/String')


@dataclass(frozen=True, slots=True)
class KillReport:
    """Outcome of kills: `lost` is the most that one of them cost, in `unit`."""

    kills: int
    unreadable: int
    lost: float
    unit: str
    files_left: int
    problems: tuple[str, ...]


def kill_recordings(folder: Path, kills: int, seed: int = 0) -> KillReport:
    """Kill recorders at random times; lost [s]: before the kill, of what was given to them.

    A recording is unreadable when this package, rosbags or mcap refuses it, or when these differ
    in its messages.
    """
    rng = np.random.default_rng(seed)
    problems: list[str] = []
    lost_s = [0.0]
    for number in range(kills):
        bag = folder / f'bag{number}'
        begin_ns, killed_ns = _kill_after(_record, (bag,), rng.uniform(*RECORDING_SEC))
        try:
            stamps_ns = read_everywhere(bag)
            lost_s.append((killed_ns - max([begin_ns, *stamps_ns])) / NS_PER_S)
        except Exception as err:  # noqa: BLE001 - whatever a reader raises is the finding
            problems.append(f'{bag}: {type(err).__name__}: {err}')
    left = len(list(folder.glob('*/.*')))
    return KillReport(kills, len(problems), max(lost_s), 's', left, tuple(problems))


def _kill_after(
    target: Callable[..., None], arguments: tuple[object, ...], seconds: float,
) -> tuple[int, int]:
    """Start a writer and kill it later; return the times of its first write and the kill [ns]."""
    context = multiprocessing.get_context('spawn')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, sender), daemon=True)
    process.start()
    sender.close()
    begin_ns = _wait_for_start(receiver, process)
    time.sleep(seconds)
    killed_ns = time.time_ns()
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    receiver.close()
    return begin_ns, killed_ns


def _wait_for_start(receiver: Connection, process: BaseProcess) -> int:
    """Wait for the first write of a writer and return its time [ns].

    Raises UttError when it ends before or takes too long.
    """
    try:
        if receiver.poll(START_SEC):
            return int(receiver.recv())
    except EOFError:
        pass
    process.kill()
    process.join()
    raise UttError(f'{process.name} did not write within {START_SEC:g} s')


def _record(folder: Path, ready: Connection) -> None:
    """Record numbered messages, stamped with the time at which they are given, until killed."""
    recorder = BagRecorder(folder)
    recorder.add(TOPIC)
    ready.send(time.time_ns())
    for number in count():
        data = b'\x00\x01\x00\x00%0*d' % (MESSAGE_BYTES, number)
        recorder.write(time.time_ns(), TOPIC.name, data)
        time.sleep(1.0 / MESSAGES_HZ)


def read_everywhere(bag: Path) -> list[int]:
    """Return the stamps of a recording [ns] as all readers read it. Raises their errors."""
    with open_bag(bag) as reader:
        messages = list(reader.messages({TOPIC.name}, reader.start_ns, reader.end_ns))
    numbers = [int(data[4:]) for _, _, data in messages]
    if numbers != list(range(len(numbers))):
        raise UttError('messages within it are missing')
    stamps_ns = [log_ns for log_ns, _, _ in messages]
    with Reader(bag) as other:
        if [stamp for _, stamp, _ in other.messages()] != stamps_ns:
            raise UttError('rosbags reads other messages')
    with next(bag.glob('*.mcap')).open('rb') as file:
        if [item.log_time for _, _, item in make_reader(file).iter_messages()] != stamps_ns:
            raise UttError('mcap reads other messages')
    return stamps_ns

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

"""A cable that delays and loses frames, between two devices of one network namespace.

What `tc netem` does where the kernel has it. Frames are read and sent as they are (AF_PACKET,
which needs root), with the header by which a virtual device leaves checksums to the receiver. At
its end the program writes how many frames it lost, those that the settings do not ask for apart.
"""

import argparse
import json
import signal
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from selectors import EVENT_READ, DefaultSelector

from utt_ros.errors import SettingsError

ETH_P_ALL, SOL_PACKET, SO_RCVBUFFORCE = 3, 263, 33
PACKET_STATISTICS, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 6, 15, 23
STATISTICS = struct.Struct('=II')  # frames that arrived, those of them that found a full buffer
BUFFER_BYTES = 2**25
MAX_FRAME_BYTES = 2**17
MAX_DELAYED_BYTES = 2**28  # of memory, in one direction; frames beyond it are lost
FRAME_MEMORY_BYTES = 256  # of a frame that waits, beside its own bytes
MAX_READ_FRAMES = 64  # of a device before the other one has its turn
MAX_DELAY_MS = 10_000.0
READY = 'ready'


@dataclass(frozen=True, slots=True)
class CableSettings:
    """Impairment of a cable, the same in both directions; without any it is a plain one."""

    delay_ms: float = 0.0  # of each frame, one way
    loss: float = 0.0  # probability for each frame, independent of the others
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.delay_ms <= MAX_DELAY_MS:
            raise SettingsError(
                f'delay is {self.delay_ms:g} ms: it must be within 0..{MAX_DELAY_MS:g}')
        if not 0.0 <= self.loss < 1.0:
            raise SettingsError(f'loss is {self.loss:g}: it must be within 0..1, and below 1')

    @property
    def is_plain(self) -> bool:
        """Whether frames neither wait nor are lost."""
        return not self.delay_ms and not self.loss


@dataclass(frozen=True, slots=True)
class LostFrames:
    """Frames that a cable lost, in both directions."""

    by_chance: int  # as its settings ask for
    by_overload: int  # of a full buffer or queue, and those that a device refused


class DelayLine:
    """One direction of a cable: frames that wait, in order. Times are seconds of one clock."""

    def __init__(self, settings: CableSettings, direction: int) -> None:
        self._delay_s, self._loss = settings.delay_ms / 1000.0, settings.loss
        self._random = Random(2 * settings.seed + direction)  # noqa: S311 - repeatable losses
        self._frames: deque[tuple[float, bytes]] = deque()
        self._held_bytes = 0
        self.lost = 0  # by chance
        self.overflowed = 0

    def put(self, now_s: float, frame: bytes) -> None:
        """Take a frame, or lose it."""
        if self._random.random() < self._loss:
            self.lost += 1
        elif self._held_bytes + _memory(frame) > MAX_DELAYED_BYTES:
            self.overflowed += 1
        else:
            self._held_bytes += _memory(frame)
            self._frames.append((now_s + self._delay_s, frame))

    def due(self, now_s: float) -> Iterator[bytes]:
        """Remove and yield the frames that have waited long enough."""
        while self._frames and self._frames[0][0] <= now_s:
            frame = self._frames.popleft()[1]
            self._held_bytes -= _memory(frame)
            yield frame

    @property
    def next_s(self) -> float:
        """Time at which a frame is due; infinite without one."""
        return self._frames[0][0] if self._frames else float('inf')


def open_device(device: str) -> socket.socket:
    """Open a device for frames that arrive at it, each behind its checksum header."""
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    packets.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    packets.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    packets.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    packets.bind((device, ETH_P_ALL))
    packets.setblocking(False)
    return packets


class Cable:
    """Both directions between two devices."""

    def __init__(self, devices: Sequence[socket.socket], settings: CableSettings) -> None:
        """`devices`: two, see `open_device`."""
        self._devices = devices
        self._lines = (DelayLine(settings, 0), DelayLine(settings, 1))
        self._refused = 0
        self._selector = DefaultSelector()
        for device, line in zip(devices, self._lines, strict=True):
            self._selector.register(device, EVENT_READ, line)

    def carry(self) -> None:
        """Wait for a frame that arrives or is due; read, and send those that are due."""
        wait_s = max(min(line.next_s for line in self._lines) - time.monotonic(), 0.0)
        for key, _ in self._selector.select(None if wait_s == float('inf') else wait_s):
            _read(key.fileobj, key.data)  # type: ignore[arg-type]
        for line, out in zip(self._lines, reversed(self._devices), strict=True):
            for frame in line.due(time.monotonic()):
                self._refused += not _sent(out, frame)

    def lost_frames(self) -> LostFrames:
        """Count the frames lost until now. Once only: reading resets the kernel's counters."""
        unread = sum(STATISTICS.unpack(device.getsockopt(
            SOL_PACKET, PACKET_STATISTICS, STATISTICS.size))[1] for device in self._devices)
        return LostFrames(sum(line.lost for line in self._lines), unread + self._refused + sum(
            line.overflowed for line in self._lines))


def carry_frames(devices: Sequence[str], settings: CableSettings, counts: Path) -> None:
    """Carry frames between two devices until SIGTERM, then write `LostFrames` to a JSON file."""
    with open_device(devices[0]) as one, open_device(devices[1]) as other:
        cable = Cable((one, other), settings)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        try:
            sys.stdout.write(f'{READY}\n')  # the reader of this pipe waits for it
            sys.stdout.flush()
            while True:
                cable.carry()
        except SystemExit:
            counts.write_text(json.dumps(asdict(cable.lost_frames())), encoding='utf-8')


def read_lost_frames(counts: Path) -> LostFrames:
    """Read what `carry_frames` wrote. Raises OSError."""
    return LostFrames(**json.loads(counts.read_bytes()))


def _sent(device: socket.socket, frame: bytes) -> bool:
    try:
        device.send(frame)
    except OSError:  # such as of a device whose queue is full
        return False
    return True


def _memory(frame: bytes) -> int:
    return len(frame) + FRAME_MEMORY_BYTES


def _read(packets: socket.socket, line: DelayLine) -> None:
    for _ in range(MAX_READ_FRAMES):
        try:
            frame = packets.recv(MAX_FRAME_BYTES)
        except BlockingIOError:
            return
        line.put(time.monotonic(), frame)


def main(args: Sequence[str] | None = None) -> int:
    """Carry frames until SIGTERM."""
    parser = argparse.ArgumentParser(prog='impaired_cable', description=__doc__)
    parser.add_argument('devices', nargs=2)
    parser.add_argument('--counts', type=Path, required=True)
    parser.add_argument('--delay-ms', type=float, default=0.0)
    parser.add_argument('--loss', type=float, default=0.0)
    parser.add_argument('--seed', type=int, default=0)
    given = parser.parse_args(args)
    carry_frames(given.devices, CableSettings(given.delay_ms, given.loss, given.seed),
                 given.counts)
    return 0


if __name__ == '__main__':
    sys.exit(main())

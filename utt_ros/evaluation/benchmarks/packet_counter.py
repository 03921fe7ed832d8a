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

"""Bytes that cross a network device, by the DDS writer that sent them.

Packets are read from the device as they are (AF_PACKET, which needs root), so counting adds
nothing to what is counted. RTPS: OMG DDSI-RTPS 2.5, sections 8.3.3 and 9.4.5.
"""

import argparse
import json
import re
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from utt_ros.files import write_atomically

ETHERNET_BYTES, RTPS_BYTES = 14, 20
ETH_P_ALL, PACKET_OUTGOING, SO_RCVBUFFORCE = 3, 4, 33
BUFFER_BYTES = 2**25
MAX_FRAME_BYTES = 2**17
DATA, DATA_FRAG = 0x15, 0x16
PROTOCOL = {0x06, 0x07, 0x08, 0x12, 0x13}  # acknowledgements, heartbeats, gaps
BUILTIN = 0xc0  # bits of the kind of an entity that belongs to discovery
NET_FOLDER = Path('/sys/class/net')
RELIABILITY, DISCOVERY, OTHERS = 'reliability', 'discovery', 'others'
MAX_OPEN_FRAGMENTS = 4096
GUID_DIGITS = 32
SUBJECT = re.compile(r'(?<=/twins/)[^/]+')


class PacketCounter:
    """Bytes by sender: the GUID of a writer in hexadecimal digits, or a part of the protocol."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.received: Counter[str] = Counter()
        self._fragments: dict[bytes, str] = {}  # senders of datagrams in several packets

    def add(self, frame: bytes, *, is_sent: bool) -> None:
        """Count an Ethernet frame, with its headers."""
        counted = self.sent if is_sent else self.received
        counted[self._sender(frame[ETHERNET_BYTES:])] += len(frame)

    def _sender(self, packet: bytes) -> str:
        """Return the sender of an IP packet; those of a datagram's further parts have its own."""
        if len(packet) < 20 or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP:
            return OTHERS
        flags = struct.unpack_from('>H', packet, 6)[0]
        datagram = packet[12:20] + packet[4:6]  # addresses and identification
        if flags & 0x1fff:  # not the first fragment
            return self._fragments.get(datagram, OTHERS)
        sender = rtps_sender(packet[4 * (packet[0] & 0xf) + 8:])
        if flags & 0x2000:
            self._fragments[datagram] = sender
            if len(self._fragments) > MAX_OPEN_FRAGMENTS:
                del self._fragments[next(iter(self._fragments))]
        return sender


def rtps_sender(message: bytes) -> str:
    """Return the GUID of the first writer whose data an RTPS message holds, else its purpose."""
    if message[:4] != b'RTPS' or len(message) < RTPS_BYTES:
        return OTHERS
    position, purpose = RTPS_BYTES, OTHERS
    while position + 12 <= len(message):
        kind, flags = message[position], message[position + 1]
        order: Literal['little', 'big'] = 'little' if flags & 1 else 'big'
        length = int.from_bytes(message[position + 2:position + 4], order)
        if kind in (DATA, DATA_FRAG):
            writer = message[position + 12:position + 16]
            if len(writer) < 4 or writer[3] & BUILTIN:
                return DISCOVERY
            return (message[8:RTPS_BYTES] + writer).hex()
        if kind in PROTOCOL:
            kinds = message[position + 7] | message[position + 11]  # of reader and writer
            purpose = DISCOVERY if kinds & BUILTIN else RELIABILITY
        if not length:
            break
        position += 4 + length
    return purpose


def count_packets(device: str, begin_s: float, end_s: float) -> dict[str, object]:
    """Count the packets of a device from one time of the host to another, and its own counters."""
    counter = PacketCounter()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as packets:
        packets.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        packets.bind((device, 0))
        _skip_until(packets, begin_s)
        before, begin_s = device_bytes(device), time.time()
        while (left_s := end_s - time.time()) > 0.0:
            packets.settimeout(left_s)
            try:
                frame, address = packets.recvfrom(MAX_FRAME_BYTES)
            except TimeoutError:
                break
            counter.add(frame, is_sent=address[2] == PACKET_OUTGOING)
        after, seconds = device_bytes(device), time.time() - begin_s
    return {'seconds': seconds, 'sent': dict(counter.sent), 'received': dict(counter.received),
            'bytes_sent': after[0] - before[0], 'bytes_received': after[1] - before[1]}


def bytes_by_topic(
    counts: Mapping[str, int], writers: Mapping[str, str], seconds: float,
) -> dict[str, float]:
    """Return bytes per second by topic; those of all subjects are one."""
    found: Counter[str] = Counter()
    for sender, count in counts.items():
        label = writers.get(sender, sender if len(sender) < GUID_DIGITS else OTHERS)
        found[SUBJECT.sub('*', label)] += count
    return {label: count / seconds for label, count in sorted(found.items())}


def device_bytes(device: str) -> tuple[int, int]:
    """Return the bytes that a device has sent and received."""
    folder = NET_FOLDER / device / 'statistics'
    sent, received = (int((folder / name).read_text()) for name in ('tx_bytes', 'rx_bytes'))
    return sent, received


def _skip_until(packets: socket.socket, begin_s: float) -> None:
    while (left_s := begin_s - time.time()) > 0.0:
        packets.settimeout(left_s)
        try:
            packets.recvfrom(MAX_FRAME_BYTES)
        except TimeoutError:
            return


def main(args: Sequence[str] | None = None) -> int:
    """Count, then write the counts as JSON."""
    parser = argparse.ArgumentParser(prog='packet_counter', description=__doc__)
    parser.add_argument('device')
    parser.add_argument('begin', type=float)
    parser.add_argument('end', type=float)
    parser.add_argument('out', type=Path)
    given = parser.parse_args(args)
    counts = count_packets(given.device, given.begin, given.end)
    write_atomically(given.out, json.dumps(counts).encode())
    return 0


if __name__ == '__main__':
    sys.exit(main())

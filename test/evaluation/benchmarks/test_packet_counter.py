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

"""Packets are attributed to the writer of their data, made by hand as on the wire."""

import struct
from pathlib import Path

import pytest

from utt_ros.evaluation.benchmarks import packet_counter
from utt_ros.evaluation.benchmarks.packet_counter import (
    DISCOVERY,
    OTHERS,
    RELIABILITY,
    PacketCounter,
    bytes_by_topic,
    rtps_sender,
)

PREFIX = bytes(range(12))
USER, READER, BUILTIN = b'\x00\x00\x12\x03', b'\x00\x00\x13\x04', b'\x00\x01\x00\xc2'
DATA, DATA_FRAG, HEARTBEAT, ACKNACK, INFO_TS = 0x15, 0x16, 0x07, 0x06, 0x09


def rtps(*submessages: bytes) -> bytes:
    return b'RTPS\x02\x03\x01\x0f' + PREFIX + b''.join(submessages)


def submessage(kind: int, body: bytes, *, little: bool = True) -> bytes:
    return struct.pack('<BBH' if little else '>BBH', kind, int(little), len(body)) + body


def data(writer: bytes, kind: int = DATA, **order: bool) -> bytes:
    return submessage(kind, bytes(4) + READER + writer + bytes(40), **order)


def protocol(kind: int, writer: bytes) -> bytes:
    reader = BUILTIN if writer == BUILTIN else READER
    return submessage(kind, reader + writer + bytes(20))


def frame(payload: bytes, *, flags: int = 0, number: int = 7, protocol: int = 17) -> bytes:
    header = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(payload), number, flags, 64, protocol, 0)
    return bytes(14) + header + b'\x0a\x63\x00\x01\x0a\x63\x00\x02' + payload


@pytest.mark.parametrize(('message', 'sender'), [
    (rtps(submessage(INFO_TS, bytes(8)), data(USER)), (PREFIX + USER).hex()),
    (rtps(data(USER, little=False)), (PREFIX + USER).hex()),
    (rtps(protocol(HEARTBEAT, USER), data(USER, DATA_FRAG)), (PREFIX + USER).hex()),
    (rtps(data(BUILTIN)), DISCOVERY),
    (rtps(protocol(ACKNACK, BUILTIN)), DISCOVERY),
    (rtps(protocol(HEARTBEAT, USER)), RELIABILITY),
    (rtps(), OTHERS), (b'RTPS', OTHERS), (b'something else entirely', OTHERS),
    (rtps(data(USER))[:30], OTHERS)])
def test_a_message_is_that_of_its_writer_or_of_the_protocol(message: bytes, sender: str) -> None:
    assert rtps_sender(message) == sender


def test_every_prefix_of_a_message_is_attributed_without_an_error() -> None:
    message = rtps(submessage(INFO_TS, bytes(8)), protocol(HEARTBEAT, USER), data(USER))
    assert {rtps_sender(message[:length]) for length in range(len(message) + 1)} <= {
        OTHERS, RELIABILITY, (PREFIX + USER).hex(), DISCOVERY}


def test_all_packets_of_a_datagram_are_its_senders() -> None:
    counter = PacketCounter()
    udp = bytes(8) + rtps(data(USER, DATA_FRAG))
    counter.add(frame(udp, flags=0x2000), is_sent=True)
    counter.add(frame(bytes(100), flags=0x2000 | 20), is_sent=True)
    counter.add(frame(bytes(100), flags=40), is_sent=True)
    counter.add(frame(bytes(100), flags=40, number=8), is_sent=False)  # of a datagram unknown
    counter.add(frame(udp, protocol=6), is_sent=False)
    assert counter.sent == {(PREFIX + USER).hex(): len(frame(udp)) + 2 * len(frame(bytes(100)))}
    assert counter.received == {OTHERS: len(frame(bytes(100))) + len(frame(udp))}


def test_open_datagrams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_counter, 'MAX_OPEN_FRAGMENTS', 2)
    counter = PacketCounter()
    udp = bytes(8) + rtps(data(USER))
    for number in range(3):
        counter.add(frame(udp, flags=0x2000, number=number), is_sent=True)
    counter.add(frame(bytes(9), flags=2, number=0), is_sent=True)
    assert counter.sent[OTHERS] == len(frame(bytes(9)))


def test_counters_of_a_device_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / 'sys/class/net/eth7/statistics'
    folder.mkdir(parents=True)
    (folder / 'tx_bytes').write_text('12\n')
    (folder / 'rx_bytes').write_text('34\n')
    monkeypatch.setattr(packet_counter, 'NET_FOLDER', tmp_path / 'sys/class/net')
    assert packet_counter.device_bytes('eth7') == (12, 34)


def test_bytes_are_summed_by_topic_over_subjects_and_unknown_writers() -> None:
    one, two, three, unknown = (f'{number:032x}' for number in range(4))
    writers = {one: '/hall/twins/ann/position', two: '/hall/twins/bob/position', three: '/utt/x'}
    counts = {one: 10, two: 20, three: 5, unknown: 3, 'others': 2, 'discovery': 8}
    assert bytes_by_topic(counts, writers, 2.0) == {
        '/hall/twins/*/position': 15.0, '/utt/x': 2.5, 'others': 2.5, 'discovery': 4.0}

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

"""Conversion of a session to one stream of serialized messages per topic, and back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from utt_ros import cdr
from utt_ros.errors import SessionError
from utt_ros.sessions.message_types import typestore
from utt_ros.settings import AreaSettings
from utt_ros.types import (
    BOX_FIELDS,
    NS_PER_S,
    Frames,
    GroundTruth,
    PhoneStreams,
    Session,
    Stamps,
    stamp_to_ns,
)

TRACKS = 'utt_ros/msg/Tracks'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
AP_STRING = 2  # of the strings of an FtmRange
SIGNAL_FIELDS = ('rssi', 'attempted', 'successful')
TOPIC_NAME = re.compile(r'[A-Za-z]\w*', re.ASCII)

Messages = Sequence[bytes] | Sequence[memoryview]


@dataclass(frozen=True, slots=True)
class BagStream:
    """All messages of one topic in a session."""

    topic: str
    type: str
    reliable: bool
    stamps_ns: Stamps  # (N,)
    messages: Messages  # N, serialized


def session_streams(session: Session, area: AreaSettings) -> list[BagStream]:
    """Serialize all topics of a session. Raises SessionError for a name no topic can contain."""
    root = f'/{_name(session.area)}'
    streams = []
    if session.frames is not None:
        streams.append(_tracks(f'{root}/camera', session.area, session.frames))
        streams.append(_camera_info(f'{root}/camera', area, session.frames.stamps_ns))
    for phone, measured in sorted(session.phones.items()):
        streams += _phone(f'{root}/phones/{_name(phone)}', area, phone, measured)
    for subject, truth in sorted(session.truth.items()):
        streams.append(_odometry(f'{root}/truth/{_name(subject)}', session.area, subject, truth))
    return streams


def frames_from_messages(messages: Sequence[bytes]) -> Frames:
    """Camera frames of Tracks messages, in order of stamps, each stamp once."""
    store = typestore()
    decoded: list[Any] = [store.deserialize_cdr(message, TRACKS) for message in messages]
    stamps = [stamp_to_ns(frame.header.stamp) for frame in decoded]
    stamps_ns, first = np.unique(np.array(stamps, np.int64), return_index=True)
    frames = [decoded[i].tracks for i in first]
    tracks = list(chain.from_iterable(frames))
    boxes = [[getattr(track, field) for field in BOX_FIELDS] for track in tracks]
    return Frames(
        stamps_ns=stamps_ns,
        starts=np.cumsum([0, *map(len, frames)], dtype=np.int64),
        boxes=np.array(boxes, np.float32).reshape(-1, 5),
        subjects=tuple(track.subject for track in tracks),
        track_ids=tuple(track.track_id for track in tracks))


def phone_from_messages(
        ftm: Sequence[bytes], imu: Sequence[bytes], mag: Sequence[bytes]) -> PhoneStreams:
    """Measurements of a phone, in order of stamps, each stamp once."""
    ftm_stamps, ranging, aps = _read_ranges(ftm)
    imu_stamps, inertial = _sorted_unique(*cdr.read_messages(cdr.IMU, imu))
    mag_stamps, magnetic = _sorted_unique(*cdr.read_messages(cdr.MAGNETIC_FIELD, mag))
    signal = np.stack([ranging[field].astype(np.float32) for field in SIGNAL_FIELDS], -1)
    known = np.isfinite(signal[:, 0]) | (signal[:, 1] > 0)
    return PhoneStreams(
        ftm_stamps_ns=ftm_stamps,
        ftm=np.stack([ranging['range'], ranging['range_std']], -1),
        inertial_stamps_ns=imu_stamps,
        inertial=np.concatenate([inertial['accel'], inertial['gyro']], -1).astype(np.float32),
        magnetic_stamps_ns=mag_stamps,
        magnetic=magnetic['field'].astype(np.float32),
        ftm_signal=signal if known.any() else None,
        ap=aps[0] if aps else '',
        ftm_aps=aps if len(set(aps)) > 1 else None)


def truth_from_messages(messages: Sequence[bytes]) -> GroundTruth:
    """Positions and headings of Odometry messages, in order of stamps, each stamp once."""
    stamps, odometry = _sorted_unique(*cdr.read_messages(cdr.ODOMETRY, messages))
    x, y, z, w = odometry['orientation'].T
    headings = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return GroundTruth(stamps, odometry['position'][:, :2].copy(), headings)


def _tracks(root: str, area: str, frames: Frames) -> BagStream:
    store = typestore()
    frame_type, track_type = store.types[TRACKS], store.types['utt_ros/msg/Track']
    tracks = [
        track_type(track_id, subject, *box, 1.0)
        for track_id, subject, box in zip(
            frames.track_ids, frames.subjects, frames.boxes.tolist(), strict=True)]
    spans = zip(frames.stamps_ns.tolist(), frames.starts[:-1], frames.starts[1:], strict=True)
    messages = [
        bytes(store.serialize_cdr(
            frame_type(_header(stamp, f'{area}/camera_optical'), tracks[begin:end]), TRACKS))
        for stamp, begin, end in spans]
    return BagStream(f'{root}/tracks', TRACKS, False, frames.stamps_ns, messages)


def _camera_info(root: str, area: AreaSettings, frames_ns: Stamps) -> BagStream:
    """Intrinsics at the first frame of every second of the session."""
    seconds = (frames_ns - frames_ns[:1]) // NS_PER_S
    stamps_ns = frames_ns[np.unique(seconds, return_index=True)[1]]
    store = typestore()
    roi = store.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    info = store.types[CAMERA_INFO](
        header=_header(0, f'{area.area}/camera_optical'),
        height=area.image_height, width=area.image_width,
        distortion_model='plumb_bob', d=np.zeros(5), r=np.eye(3).ravel(),
        k=np.array([area.fx, 0, area.cx, 0, area.fy, area.cy, 0, 0, 1]),
        p=np.array([area.fx, 0, area.cx, 0, 0, area.fy, area.cy, 0, 0, 0, 1, 0]),
        binning_x=0, binning_y=0, roi=roi)
    rows = cdr.repeat_message(bytes(store.serialize_cdr(info, CAMERA_INFO)), stamps_ns)
    return BagStream(f'{root}/camera_info', CAMERA_INFO, False, stamps_ns, _messages(rows))


def _phone(
    root: str, area: AreaSettings, phone: str, measured: PhoneStreams,
) -> list[BagStream]:
    frame = f'{area.area}/{phone}'
    imu_rows, imu = cdr.new_messages(cdr.IMU, [frame], measured.inertial_stamps_ns)
    imu['orientation'][:, 3] = 1
    imu['orientation_covariance'][:, 0] = -1  # REP-145: orientation unknown
    imu['accel'], imu['gyro'] = measured.inertial[:, :3], measured.inertial[:, 3:]
    mag_rows, mag = cdr.new_messages(cdr.MAGNETIC_FIELD, [frame], measured.magnetic_stamps_ns)
    mag['field'] = measured.magnetic
    sensors = (
        ('ftm', cdr.FTM_RANGE, measured.ftm_stamps_ns, _range_messages(area, phone, measured)),
        ('imu/data_raw', cdr.IMU, measured.inertial_stamps_ns, _messages(imu_rows)),
        ('imu/mag', cdr.MAGNETIC_FIELD, measured.magnetic_stamps_ns, _messages(mag_rows)))
    return [BagStream(f'{root}/{name}', layout.type, False, stamps_ns, messages)
            for name, layout, stamps_ns, messages in sensors]


def _range_messages(area: AreaSettings, phone: str, measured: PhoneStreams) -> Messages:
    """Serialize ranges, those of an access point at a time, and return them in their order."""
    signal = measured.ftm_signal
    if signal is None:
        signal = np.tile(np.array([np.nan, 0, 0], np.float32), (len(measured.ftm), 1))
    frames = np.clip(np.nan_to_num(signal[:, 1:]), 0, 255).astype(np.uint8)
    aps = np.array(measured.range_aps, np.str_)
    messages: dict[int, memoryview | bytes] = {}
    for ap in dict.fromkeys(measured.range_aps):
        chosen = np.flatnonzero(aps == ap)
        rows, ftm = cdr.new_messages(
            cdr.FTM_RANGE, [area.ap_frame(ap), phone, ap], measured.ftm_stamps_ns[chosen])
        ftm['range'], ftm['range_std'] = measured.ftm[chosen].T
        ftm['rssi'] = signal[chosen, 0]
        ftm['attempted'], ftm['successful'] = frames[chosen].T
        messages |= zip(chosen.tolist(), _messages(rows), strict=True)
    return [messages[row] for row in range(len(messages))]  # type: ignore[return-value]


def _odometry(root: str, area: str, subject: str, truth: GroundTruth) -> BagStream:
    """Pose on the floor; velocity in the subject's frame, by central differences [D]."""
    rows, odometry = cdr.new_messages(cdr.ODOMETRY, [area, f'{area}/{subject}'], truth.stamps_ns)
    odometry['position'][:, :2] = truth.positions_m
    half = truth.headings_rad / 2
    odometry['orientation'][:, 2], odometry['orientation'][:, 3] = np.sin(half), np.cos(half)
    if len(truth.stamps_ns) > 1 and (np.diff(truth.stamps_ns) > 0).all():
        times = (truth.stamps_ns - truth.stamps_ns[0]) / NS_PER_S
        velocity = np.gradient(truth.positions_m, times, axis=0) @ (1, 1j)
        body_velocity = velocity * np.exp(-1j * truth.headings_rad)
        odometry['linear'][:, 0], odometry['linear'][:, 1] = body_velocity.real, body_velocity.imag
        odometry['angular'][:, 2] = np.gradient(np.unwrap(truth.headings_rad), times)
    return BagStream(f'{root}/odom', cdr.ODOMETRY.type, True, truth.stamps_ns, _messages(rows))


def _messages(rows: cdr.ByteRows) -> Messages:
    block, size = memoryview(rows.tobytes()), rows.shape[1]
    return [block[begin:begin + size] for begin in range(0, len(block), size)]


def _header(stamp_ns: int, frame_id: str) -> Any:
    types = typestore().types
    stamp = types['builtin_interfaces/msg/Time'](stamp_ns // NS_PER_S, stamp_ns % NS_PER_S)
    return types['std_msgs/msg/Header'](stamp, frame_id)


def _read_ranges(messages: Sequence[bytes]) -> tuple[Stamps, cdr.Numbers, tuple[str, ...]]:
    """Stamps, numbers and addresses, in order of stamps, each stamp once per access point."""
    stamps_ns, numbers = cdr.read_messages(cdr.FTM_RANGE, messages)
    aps = cdr.read_string_column(cdr.FTM_RANGE, messages, AP_STRING)
    places = {ap: place for place, ap in enumerate(sorted(set(aps)))}
    key = np.empty(len(aps), [('stamp', np.int64), ('ap', np.int64)])
    key['stamp'], key['ap'] = stamps_ns, [places[ap] for ap in aps]
    first = np.unique(key, return_index=True)[1]
    return stamps_ns[first], numbers[first], tuple(aps[row] for row in first.tolist())


def _sorted_unique(stamps_ns: Stamps, numbers: cdr.Numbers) -> tuple[Stamps, cdr.Numbers]:
    ordered, first = np.unique(stamps_ns, return_index=True)
    return ordered, numbers[first]


def _name(name: str) -> str:
    if not TOPIC_NAME.fullmatch(name):
        raise SessionError(
            f'{name!r} cannot be in a topic: only letters, digits and _, a letter first')
    return name

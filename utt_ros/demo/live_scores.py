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

"""Recorded messages of a live demonstration compared with its simulated world."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.demo.position_scores import score_positions, summarize_scores
from utt_ros.demo.recorded import read_published_positions
from utt_ros.errors import UttError
from utt_ros.evaluation.metrics import box_iou
from utt_ros.evaluation.recorded_people import iterate_messages
from utt_ros.sessions.simulator.live_world import boxes_by_name, phone_clock
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S, GroundTruth, Session, stamp_to_ns

DIAGNOSTICS = '/diagnostics'
MIN_OWNER_IOU = 0.3  # of a detected box with the true box of its person


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A simulated session, replayed live against the host's clock."""

    area: AreaSettings
    session: Session  # with stamps of the simulation
    first_ns: int  # first stamp of the session
    begin_ns: int  # start of the walk, host's clock
    seed: int

    def at(self, host_ns: int) -> int:
        """Convert a time of the host's clock to a stamp of the simulation."""
        return host_ns - self.begin_ns + self.first_ns


def live_summary(bag: Path, live: LiveSession) -> dict[str, Any]:
    """Summarize a recorded bag. Raises UttError when it holds no position."""
    positions = read_published_positions(bag).get(live.area.area)
    if positions is None:
        raise UttError(f'the twin of {live.area.area!r} published no position')
    late_ms = (positions.received_ns - positions.stamps_ns) / 1e6
    received = _received(bag, live)
    drivers = _drivers(bag, live)
    return {
        'streams': _streams(received, live),
        'drivers': {name: _counters(values) for name, (_, values) in drivers.items()},
        'clocks': _clocks(drivers, live),
        'identity': _identity(bag, live),
        'position_error_m': summarize_scores(
            score_positions(positions, to_host_clock(live), use_camera=True)),
        'latency_ms': {'p50': float(np.quantile(late_ms, 0.5)),
                       'p99': float(np.quantile(late_ms, 0.99)), 'n': len(late_ms)}}


def to_host_clock(live: LiveSession) -> Session:
    """Return the session with stamps of the host's clock."""
    by_ns = live.begin_ns - live.first_ns
    frames, session = live.session.frames, live.session
    return replace(
        session, frames=frames and replace(frames, stamps_ns=frames.stamps_ns + by_ns),
        truth={name: GroundTruth(truth.stamps_ns + by_ns, truth.positions_m, truth.headings_rad)
               for name, truth in session.truth.items()})


def _messages(bag: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[int, str, Any]]:
    """Yield receive time [ns], topic and message, of topics with one of these suffixes."""
    topics = re.compile(f'.*(?:{"|".join(map(re.escape, suffixes))})')
    for received_ns, match, message in iterate_messages(bag, topics):
        yield received_ns, match.string, message


def _stamp_ns(message: Any) -> int:
    return stamp_to_ns(message.header.stamp)


def _received(bag: Path, live: LiveSession) -> dict[str, npt.NDArray[np.int64]]:
    """Stamps and receive times (N, 2) [ns] since the start, by topic below the area."""
    rows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for received_ns, name, message in _messages(bag, ('/ftm', '/data_raw', '/mag', '/tracks')):
        if (stamp_ns := _stamp_ns(message)) >= live.begin_ns:
            rows[name.removeprefix(f'/{live.area.area}/')].append((stamp_ns, received_ns))
    return {name: np.array(pairs, np.int64) for name, pairs in rows.items()}


def _streams(
    received: Mapping[str, npt.NDArray[np.int64]], live: LiveSession,
) -> dict[str, dict[str, float]]:
    """Samples sent and received, rate and delay of every stream."""
    frames = live.session.frames
    sent = {'camera/tracks': len(frames.stamps_ns) if frames else 0}
    for phone, streams in live.session.phones.items():
        sent |= {f'phones/{phone}/ftm': len(streams.ftm),
                 f'phones/{phone}/imu/data_raw': len(streams.inertial),
                 f'phones/{phone}/imu/mag': len(streams.magnetic)}
    rows = {}
    for name, count in sent.items():
        pairs = received.get(name, np.zeros((0, 2), np.int64))
        span_s = float(np.ptp(pairs[:, 0])) / NS_PER_S if len(pairs) > 1 else np.inf
        late_ms = np.diff(pairs, axis=1) / 1e6 if len(pairs) else np.zeros(1)
        rows[name] = {
            'made': count, 'heard': len(pairs), 'rate_hz': max(0, len(pairs) - 1) / span_s,
            'late_ms': float(np.median(late_ms))}
    return rows


def _drivers(bag: Path, live: LiveSession) -> dict[str, tuple[int, dict[str, str]]]:
    """Last diagnostics of each driver and their stamp [ns]."""
    drivers = {}
    for _, _, message in _messages(bag, (DIAGNOSTICS,)):
        for status in message.status:
            area, _, node = status.name.partition(': ')
            if area == live.area.area and node in ('camera', 'ftm', 'imu'):
                values = {pair.key: pair.value for pair in status.values}
                drivers[node] = _stamp_ns(message), values
    return drivers


def _counters(values: Mapping[str, str]) -> dict[str, Any]:
    refused = {name.removeprefix('refused_'): int(value) for name, value in values.items()
               if name.startswith('refused_') and int(value)}
    return {'source': values['source'], 'dropped': int(values['dropped']),
            'reopened': int(values['reopened']), 'refused': refused}


def _clocks(
    drivers: Mapping[str, tuple[int, Mapping[str, str]]], live: LiveSession,
) -> dict[str, dict[str, float]]:
    """Estimated offset host - phone, its error, and drifts, by phone and driver."""
    clocks = {}
    for node in ('ftm', 'imu'):
        now_ns, values = drivers.get(node, (0, {}))
        for phone, truth in live.session.truth.items():
            if f'{phone}.offset_s' not in values:
                continue
            clock = phone_clock(phone, live.seed)
            last_ns = min(live.at(now_ns), int(truth.stamps_ns[-1]))  # received by the driver
            gone_s = (last_ns - live.first_ns) / NS_PER_S
            true_s = -clock.offset_s if node == 'imu' else live.begin_ns / NS_PER_S - clock.boot_s
            true_s -= clock.drift_ppm * 1e-6 * gone_s
            offset_s = float(values[f'{phone}.offset_s'])
            clocks[f'{phone} {node}'] = {
                'offset_s': offset_s, 'error_ms': 1000 * (offset_s - true_s),
                'drift_ppm': -float(values[f'{phone}.drift_ppm']), 'true_ppm': clock.drift_ppm}
    return clocks


def _identity(bag: Path, live: LiveSession) -> dict[str, float]:
    """Count tracked boxes of people, those matched to a phone, and those matched to their own.

    The owner of a box is the person of greatest overlap; boxes without an owner are left out.
    `idp` is the share of tracked boxes that were matched to the phone of their owner.
    """
    tracked = given = right = 0
    for _, name, message in _messages(bag, ('/synced', '/tracks')):
        if (stamp_ns := _stamp_ns(message)) < live.begin_ns:
            continue
        true = boxes_by_name(live.area, live.session, live.at(stamp_ns))
        if name.endswith('/tracks'):
            tracked += sum(bool(_owner(_box(track), true)) for track in message.tracks)
            continue
        boxes = np.asarray(message.camera).reshape(-1, 5)
        for subject, box, mask in zip(message.subjects, boxes, message.camera_mask, strict=True):
            owner = _owner(box, true) if mask and subject in live.session.phones else ''
            given, right = given + bool(owner), right + bool(owner and owner == subject)
    return {'tracked': tracked, 'given': given, 'right': right, 'idp': right / max(tracked, 1),
            'right_of_given': right / max(given, 1)}


def _box(track: Any) -> npt.NDArray[np.float64]:
    return np.array(
        [track.center_x, track.center_y, track.depth, track.width, track.height], np.float64)


def _owner(box: npt.NDArray[Any], true: Mapping[str, npt.NDArray[np.float64]]) -> str:
    ious = {name: float(box_iou.box_iou(box, true_box)) for name, true_box in true.items()}
    best = max(ious, key=lambda name: ious[name], default='')
    return best if best and ious[best] >= MIN_OWNER_IOU else ''

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

"""Clock synchronisation: host time of stamps that carry the clock of another device."""

import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from utt_ros.types import NS_PER_S

WINDOW_S = 60
BIN_NS = NS_PER_S
DRIFT_SPAN_NS = 20 * NS_PER_S  # over less, jitter of delays resembles drift
MAX_DRIFT = 300e-6  # crystals of phones stay below 100 ppm
CLOCK_JUMP_NS = 2 * NS_PER_S  # a lag further off than this belongs to another clock if it lasts
HOLD_NS = 2 * NS_PER_S  # duration after which it is accepted
SET_BACK_NS = NS_PER_S  # step of the host's clock
MAX_STREAMS = 64  # of one device
STAMP_TEXT = re.compile(r'[0-9]{1,20}(\.[0-9]{0,20})?([eE]\+?[0-9]{1,2})?')


def parse_stamp(text: str, unit_ns: int = 1) -> int | None:
    """Return the stamp [ns] of a decimal text in units of `unit_ns`; None for other texts.

    Spreadsheets, scripts and JSON of some languages write 1.7E12 or 1700000000000.0.
    """
    text = text.strip()
    return int(Decimal(text) * unit_ns) if STAMP_TEXT.fullmatch(text) else None


class _Point(NamedTuple):
    peer_ns: int  # since the reference
    lag_ns: int  # arrival - peer, relative to the reference: offset and delay


class _Line(NamedTuple):
    """Minimum lag: drift * peer_ns + start_ns."""

    drift: float
    start_ns: float
    offset_s: float
    spread_s: float


class PeerClock:
    """Map from the stamps of one peer's clock to the host's; not thread-safe, except `status`.

    A stamp never arrives before it was taken, so the minimum lag of the last minute is the offset
    plus the shortest delay; that delay is unobservable and remains in the result. The drift is
    the slope of the line below all lags that is highest at the middle of the window, an edge of
    their lower convex hull: [S] Moon, Skelly and Towsley, INFOCOM 1999. Only the minimum lag of
    each second is kept, so memory and work are bounded.

    A peer that restarts, or whose clock is set, causes lags far from the line. Once they agree
    with each other for `HOLD_NS` the estimate restarts, and `jumps` increases. A clock that is set
    back by less than `CLOCK_JUMP_NS` resembles a longer delay and is followed one window later.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._peer_ns = self._arrival_ns = self._newest_ns = 0  # references, newest arrival
        self._suspect: tuple[int, int] | None = None  # lag of another clock, its first arrival
        self._bins: deque[tuple[int, _Point]] = deque(maxlen=WINDOW_S)
        self._changed = False
        self._line = _Line(0.0, 0.0, 0.0, 0.0)

    def observe(self, peer_ns: int, arrival_ns: int) -> bool:
        """Update from a stamp and its arrival; false when the stamp is of another clock."""
        if not self._bins or arrival_ns - self._newest_ns > WINDOW_S * NS_PER_S:
            self._restart(peer_ns, arrival_ns)
            return True
        peer = peer_ns - self._peer_ns
        point = _Point(peer, arrival_ns - self._arrival_ns - peer)
        if abs(point.lag_ns - self._min_lag(peer)) > CLOCK_JUMP_NS:
            return self._check_suspect(point, peer_ns, arrival_ns)
        self._suspect = None
        self._newest_ns = max(self._newest_ns, arrival_ns)
        self._add(point)
        return True

    def to_host(self, peer_ns: int) -> int:
        """Return the host time of an observed stamp; may step back when a delay gets shorter."""
        if self._changed:
            self._fit()
        peer = peer_ns - self._peer_ns
        return self._arrival_ns + peer + round(self._min_lag(peer))

    def status(self) -> Mapping[str, object]:
        """Return the offset host - peer, its drift, and the spread of delays between seconds."""
        line = self._line
        return {'offset_s': round(line.offset_s, 6), 'drift_ppm': round(line.drift * 1e6, 2),
                'spread_s': round(line.spread_s, 6)}

    def _restart(self, peer_ns: int, arrival_ns: int) -> None:
        self.jumps += bool(self._bins)
        self._peer_ns, self._arrival_ns, self._newest_ns = peer_ns, arrival_ns, arrival_ns
        self._suspect = None
        self._bins.clear()
        self._add(_Point(0, 0))
        self._fit()

    def _check_suspect(self, point: _Point, peer_ns: int, arrival_ns: int) -> bool:
        if self._suspect is None or abs(point.lag_ns - self._suspect[0]) > CLOCK_JUMP_NS // 2:
            self._suspect = point.lag_ns, arrival_ns
        elif arrival_ns - self._suspect[1] >= HOLD_NS:
            self._restart(peer_ns, arrival_ns)
            return True
        return False

    def _add(self, point: _Point) -> None:
        number = (self._newest_ns - self._arrival_ns) // BIN_NS
        if not self._bins or number > self._bins[-1][0]:
            self._bins.append((number, point))
        elif point.lag_ns < self._bins[-1][1].lag_ns:
            self._bins[-1] = number, point
        else:
            return
        while number - self._bins[0][0] >= WINDOW_S:
            self._bins.popleft()
        self._changed = True

    def _min_lag(self, peer: int) -> float:
        return self._line.drift * peer + self._line.start_ns

    def _fit(self) -> None:
        self._changed = False
        points = sorted(point for _, point in self._bins)
        drift = _slope(points) if points[-1][0] - points[0][0] >= DRIFT_SPAN_NS else 0.0
        drift = min(max(drift, -MAX_DRIFT), MAX_DRIFT)
        lags = sorted(point.lag_ns - drift * point.peer_ns for point in points)
        offset_ns = self._arrival_ns - self._peer_ns
        self._line = _Line(
            drift, lags[0], (offset_ns + lags[0] + drift * points[-1].peer_ns) / NS_PER_S,
            (lags[len(lags) // 2] - lags[0]) / NS_PER_S)


class StreamClocks:
    """Host stamps of devices: one clock per device, strictly increasing stamps per stream."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._clocks: dict[str, PeerClock] = {}
        self._last: dict[str, dict[str, tuple[int, int]]] = {}  # stamps of host and peer
        self._newest_ns = 0

    def check_host(self, now_ns: int) -> bool:
        """Forget the streams' last stamps, and return true, when the host's clock was set back."""
        set_back = now_ns < self._newest_ns - SET_BACK_NS
        if set_back:
            self._last.clear()
            self._counters['host_set_back'] += 1
        self._newest_ns = now_ns if set_back else max(now_ns, self._newest_ns)
        return set_back

    def observe(self, device: str, peer_ns: int, arrival_ns: int) -> bool:
        """Update a device's clock with the newest stamp of an arrival; false: of another clock.

        The number of devices must be bounded.
        """
        self.check_host(arrival_ns)
        return self._clocks.setdefault(device, PeerClock()).observe(peer_ns, arrival_ns)

    def forget(self, device: str) -> None:
        """Remove a device."""
        self._clocks.pop(device, None)
        self._last.pop(device, None)

    def jumps(self, device: str) -> int:
        """Return how often the clock of a device restarted."""
        return self._clocks[device].jumps if device in self._clocks else 0

    def stamp(self, device: str, stream: str, peer_ns: int) -> int | None:
        """Return the host time [ns] of a stamp, after `observe`; None, counted: refused."""
        return self._admit(device, stream, self._clocks[device].to_host(peer_ns), peer_ns)

    def admit(self, device: str, stream: str, stamp_ns: int) -> int | None:
        """Return a stamp of the host's clock; None, counted, unless it is later than the last."""
        return self._admit(device, stream, stamp_ns, stamp_ns)

    def _admit(self, device: str, stream: str, stamp_ns: int, peer_ns: int) -> int | None:
        streams = self._last.setdefault(device, {})
        last_ns, last_peer_ns = streams.get(stream, (0, 0))
        if stamp_ns <= last_ns:
            self._counters['duplicate' if peer_ns == last_peer_ns else 'backward'] += 1
            return None
        if len(streams) >= MAX_STREAMS and stream not in streams:
            self._counters['too_many_streams'] += 1
            return None
        streams[stream] = stamp_ns, peer_ns
        return stamp_ns

    def status(self) -> Mapping[str, object]:
        """Return offset, drift and spread of each clock."""
        return {
            f'{device}.{key}': value
            for device, clock in sorted(self._clocks.copy().items())
            for key, value in clock.status().items()}


def _slope(points: Sequence[_Point]) -> float:
    """Return the slope of the lower hull's edge below the middle of points sorted by time."""
    hull: list[_Point] = []
    for point in points:
        while len(hull) > 1 and _turns_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    middle = sum(point.peer_ns for point in points) / len(points)
    end = next(index for index, point in enumerate(hull) if point.peer_ns >= middle)
    left, right = hull[max(end - 1, 0)], hull[max(end, 1)]
    return (right.lag_ns - left.lag_ns) / max(right.peer_ns - left.peer_ns, 1)


def _turns_down(first: _Point, middle: _Point, last: _Point) -> bool:
    """Return whether the middle point is not below the line from the first to the last."""
    return ((middle.lag_ns - first.lag_ns) * (last.peer_ns - first.peer_ns)
            >= (last.lag_ns - first.lag_ns) * (middle.peer_ns - first.peer_ns))

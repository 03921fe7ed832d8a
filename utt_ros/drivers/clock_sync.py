"""When something happened by our clock, from the stamps of a clock that is not ours."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from utt_ros.types import NS_PER_S

WINDOW_S = 60
BIN_NS = NS_PER_S
DRIFT_SPAN_NS = 20 * NS_PER_S  # over less, jitter of delays looks like drift
MAX_DRIFT = 300e-6  # crystals of phones stay below 100 ppm
JUMP_NS = 2 * NS_PER_S  # further off than a delay: another clock, when it stays so
HOLD_NS = 2 * NS_PER_S


class _Point(NamedTuple):
    peer_ns: int  # since the reference
    lag_ns: int  # arrival - peer, since the reference: offset and delay


class _Line(NamedTuple):
    """The least lag, drift * peer_ns + start_ns."""

    drift: float
    start_ns: float
    offset_s: float
    spread_s: float


class PeerClock:
    """Maps stamps of one peer's clock to the host's; not thread-safe, except `status`.

    A stamp arrives later than it was made, never earlier, so the least lag of the last minute is
    the offset plus the shortest delay; that delay itself cannot be seen and stays in the result.
    Drift is the slope of the line below all lags that is highest at the middle of the window, an
    edge of their lower convex hull: [S] Moon, Skelly and Towsley, INFOCOM 1999. Of each second
    only the least lag is kept, so memory and work are bounded.

    A peer that starts anew, or whose clock is set, makes lags that are far from the line. When
    they agree with each other for `HOLD_NS` the clock begins anew, and `jumps` grows. A clock that
    is set back by less than `JUMP_NS` looks like a longer delay, and is followed a window later.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._peer_ns = self._arrival_ns = self._heard_ns = 0  # the references, and the last
        self._strange: tuple[int, int] | None = None  # lag of another clock, and since when
        self._bins: deque[tuple[int, _Point]] = deque(maxlen=WINDOW_S)
        self._changed = False
        self._line = _Line(0.0, 0.0, 0.0, 0.0)

    def observe(self, peer_ns: int, arrival_ns: int) -> bool:
        """Learn from a stamp and when it arrived; false: it is of another clock, do not map it."""
        if not self._bins or arrival_ns - self._heard_ns > WINDOW_S * NS_PER_S:
            self._begin(peer_ns, arrival_ns)
            return True
        peer = peer_ns - self._peer_ns
        point = _Point(peer, arrival_ns - self._arrival_ns - peer)
        if abs(point.lag_ns - self._least(peer)) > JUMP_NS:
            return self._doubt(point, peer_ns, arrival_ns)
        self._strange = None
        self._heard_ns = max(self._heard_ns, arrival_ns)
        self._keep(point)
        return True

    def to_host(self, peer_ns: int) -> int:
        """The host's time of a stamp, after `observe`; may step back when a delay gets shorter."""
        if self._changed:
            self._fit()
        peer = peer_ns - self._peer_ns
        return self._arrival_ns + peer + round(self._least(peer))

    def status(self) -> Mapping[str, object]:
        """Offset host - peer; drift of that; and how much delays vary from second to second."""
        line = self._line
        return {'offset_s': round(line.offset_s, 6), 'drift_ppm': round(line.drift * 1e6, 2),
                'spread_s': round(line.spread_s, 6)}

    def _begin(self, peer_ns: int, arrival_ns: int) -> None:
        self.jumps += bool(self._bins)
        self._peer_ns, self._arrival_ns, self._heard_ns = peer_ns, arrival_ns, arrival_ns
        self._strange = None
        self._bins.clear()
        self._keep(_Point(0, 0))
        self._fit()

    def _doubt(self, point: _Point, peer_ns: int, arrival_ns: int) -> bool:
        if self._strange is None or abs(point.lag_ns - self._strange[0]) > JUMP_NS // 2:
            self._strange = point.lag_ns, arrival_ns
        elif arrival_ns - self._strange[1] >= HOLD_NS:
            self._begin(peer_ns, arrival_ns)
            return True
        return False

    def _keep(self, point: _Point) -> None:
        number = (self._heard_ns - self._arrival_ns) // BIN_NS
        if not self._bins or number > self._bins[-1][0]:
            self._bins.append((number, point))
        elif point.lag_ns < self._bins[-1][1].lag_ns:
            self._bins[-1] = number, point
        else:
            return
        while number - self._bins[0][0] >= WINDOW_S:
            self._bins.popleft()
        self._changed = True

    def _least(self, peer: int) -> float:
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


def _slope(points: Sequence[_Point]) -> float:
    """Slope of the edge of the lower convex hull below the middle of points sorted by time."""
    hull: list[_Point] = []
    for point in points:
        while len(hull) > 1 and _turns_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    middle = sum(point.peer_ns for point in points) / len(points)
    last = next(index for index, point in enumerate(hull) if point.peer_ns >= middle)
    one, other = hull[max(last - 1, 0)], hull[max(last, 1)]
    return (other.lag_ns - one.lag_ns) / max(other.peer_ns - one.peer_ns, 1)


def _turns_down(first: _Point, middle: _Point, last: _Point) -> bool:
    """Whether the middle one is not below the line from the first to the last."""
    return ((middle.lag_ns - first.lag_ns) * (last.peer_ns - first.peer_ns)
            >= (last.lag_ns - first.lag_ns) * (middle.peer_ns - first.peer_ns))

"""Where every subject of an area probably is: a belief that outlives the loss of any sensor.

Each subject has a cloud of particles with position, velocity, error of its compass and error of
its ranges. A camera moves the cloud as a Kalman filter would; ranges weight its particles; in
between a learned velocity carries it along the compass heading, or a random walk where there is
none. docs/belief.md tells why.
"""

from dataclasses import dataclass

import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.twin.cloud import (
    assimilate,
    effective_size,
    mean_of,
    position_covariance,
    resample,
)
from utt_ros.twin.ftm_model import RangingModel
from utt_ros.twin.settings import BeliefSettings
from utt_ros.twin.subject_slots import Roster, generator
from utt_ros.twin.visibility import HIDDEN, INTERVAL_TICKS, View
from utt_ros.types import Array, FloatArray, Indices, MaskArray, SyncedBatch

# position [m], velocity [m/s], error of compass [rad] and ranges [m], probability of being hidden
X, Y, VX, VY, TURN, SLOW, HIDE = range(7)
DISAGREES = 16.0  # squared Mahalanobis distance at which the camera contradicts the cloud
STRIKES = 2  # contradictions in a row after which the camera is believed
DEPLETED = 0.5  # share of effective particles below which a cloud is resampled
MAX_DISTANCE_M = 1000.0  # a position or range beyond is a fault
RING_STD_M = 0.5  # radial spread of a new cloud about its first range
SIGHT_NS = 3_000_000_000  # a camera that saw nobody for longer may be covered
NEVER = -(1 << 62)
SENSORS = ('camera', 'ftm', 'imu')


@dataclass(frozen=True, slots=True)
class Pace:
    """How subjects move, in the heading frame (x along the compass heading, y to the left)."""

    heading: FloatArray  # (S,) [rad] area frame
    heading_valid: MaskArray  # (S,)
    velocity: FloatArray  # (S, 2) [m/s]
    velocity_std: FloatArray  # (S, 2) [m/s]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Where the subjects of a tick are; zeros where nothing is known."""

    known: MaskArray  # (S,) false until a camera or a range has told anything
    position: FloatArray  # (S, 2) [m] area frame
    covariance: FloatArray  # (S, 2, 2) [m^2]
    velocity: FloatArray  # (S, 2) [m/s] area frame
    compass_error: FloatArray  # (S,) [rad]; true heading = compass heading + error
    age_s: dict[str, Array]  # per sensor (S,): time since it was last measured; inf when never


class Belief:
    """Clouds of all subjects of one area; feed it every tick once."""

    def __init__(self, area: AreaSettings, settings: BeliefSettings | None = None) -> None:
        self.settings = settings or BeliefSettings()
        self._camera = CameraModel(area)
        self._view = View(self._camera)
        self._ap = np.asarray(area.ap_position[:2])
        self._ranging = RangingModel(area, self.settings)
        rows, particles = self.settings.max_subjects, self.settings.particles
        self._states = np.zeros((rows, 7, particles), np.float32)
        self._weights = np.full((rows, particles), 1 / particles, np.float32)
        self._slow_variance = np.zeros(rows, np.float32)
        self._reference = np.zeros((rows, 3), np.float32)  # heading, velocity of the last pace
        self._known, self._paced = np.zeros(rows, bool), np.zeros(rows, bool)
        self._strikes = np.zeros(rows, np.intp)
        self._roster = Roster(rows, self.settings.max_gap)
        self._seen = np.full((rows, len(SENSORS)), NEVER, np.int64)
        self._random = [generator('', row) for row in range(rows)]
        self._sight_ns = NEVER

    @property
    def refused(self) -> int:
        """Subjects times ticks beyond `max_subjects`."""
        return self._roster.refused

    def step(self, batch: SyncedBatch, pace: Pace | None = None) -> Estimate:
        """Carry all subjects of a tick to its stamp and take in what was measured.

        Values that are not finite or absurd count as not measured. A new epoch, or an absence of
        more than `max_gap`, starts a subject anew.
        """
        rows, elapsed, new = self._roster.admit(batch)
        for name, row in new:
            self._begin(row, name, batch.epoch)
        served = np.flatnonzero(rows >= 0)
        rows, elapsed = rows[served], elapsed[served]
        if pace is not None:
            pace = Pace(pace.heading[served], pace.heading_valid[served],
                        pace.velocity[served], pace.velocity_std[served])
        measured = self._measured(batch, served, rows)
        self._carry(rows, elapsed, pace)
        self._see(rows, batch.camera[served], measured[:, 0])
        self._range(rows, batch.ftm[served, 0].astype(np.float64), measured[:, 1])
        if self._camera_works(batch) and batch.sequence % INTERVAL_TICKS == 0:
            missed = ~measured[:, 0] & self._known[rows]
            self._miss(rows[missed], INTERVAL_TICKS * elapsed[missed])
        self._refresh(rows)
        return self._estimate(batch, served, rows)

    def _camera_works(self, batch: SyncedBatch) -> bool:
        """Whether it means anything that somebody is not seen: a covered camera sees nobody."""
        if batch.camera_mask.any():
            self._sight_ns = batch.stamp_ns
        return batch.camera_tick and 0 <= batch.stamp_ns - self._sight_ns <= SIGHT_NS

    def _begin(self, row: int, name: str, epoch: int) -> None:
        self._random[row] = generator(name, epoch)
        self._known[row] = self._paced[row] = False
        self._strikes[row], self._seen[row] = 0, NEVER

    def _measured(self, batch: SyncedBatch, served: Indices, rows: Indices) -> MaskArray:
        """What is new and usable per subject and sensor (S, 3); remembers when that was."""
        measured = np.stack([
            batch.camera_mask & np.isfinite(batch.camera).all(1),
            batch.ftm_mask & (np.abs(batch.ftm[:, 0]) <= MAX_DISTANCE_M),
            batch.imu_mask.any(1)], axis=1)[served]
        self._seen[rows] = np.where(measured, batch.stamp_ns, self._seen[rows])
        return np.asarray(measured)

    def _carry(self, rows: Indices, elapsed: FloatArray, pace: Pace | None) -> None:
        """Move every particle through `elapsed` seconds (S,).

        Velocity v = R(heading + turn) (u + e): u is the learned velocity, its error e an
        Ornstein-Uhlenbeck process, as are the turn and the slow range error [D]. Without a pace
        u = 0 and e has the deviation of somebody unknown. In steps of the area frame:

            v' = a R(heading' - heading) v + R(heading' + turn') (u' - a u + noise)
        """
        own, seconds = self.settings, elapsed[:, None]
        paced = np.zeros(len(rows), bool) if pace is None else pace.heading_valid
        reference, std = self._steer(rows, paced, pace)
        old = np.where((self._paced[rows] == paced)[:, None], self._reference[rows], reference)
        keep = np.exp(-elapsed / np.where(paced, own.velocity_tau, own.walk_tau))
        blind = self._seen[rows, 0] < self._roster.stamps_ns[rows] - round(2e9 * own.velocity_tau)
        keep[blind & paced & ~self._paced[rows]] = 0.0  # a velocity that was only guessed
        keep = keep.astype(np.float32)[:, None]
        self._reference[rows], self._paced[rows] = reference, paced

        noise = np.empty((len(rows), 3, own.particles), np.float32)
        for place, row in enumerate(rows):
            self._random[row].standard_normal(dtype=np.float32, out=noise[place])
        states = self._states[rows]
        last = np.exp(-seconds / np.float32(own.heading_tau))
        states[:, TURN] *= last
        states[:, TURN] += own.heading_std * np.sqrt(1 - last**2) * noise[:, 0]
        last = np.exp(-seconds / np.float32(own.range_bias_tau))
        states[:, SLOW] *= last
        self._slow_variance[rows] += (1 - last[:, 0]**2) * (
            own.range_bias_std**2 - self._slow_variance[rows])

        push = reference[:, 1:] - keep * old[:, 1:]
        push = push[..., None] + (np.sqrt(1 - keep**2) * std)[..., None] * noise[:, 1:]
        ahead = reference[:, :1] + states[:, TURN]
        cos, sin = np.cos(ahead), np.sin(ahead)
        swing = reference[:, :1] - old[:, :1]
        turned, leaned = keep * np.cos(swing), keep * np.sin(swing)
        vx, vy = states[:, VX], states[:, VY]
        states[:, VX], states[:, VY] = (
            turned * vx - leaned * vy + cos * push[:, 0] - sin * push[:, 1],
            leaned * vx + turned * vy + sin * push[:, 0] + cos * push[:, 1])
        states[:, :2] += seconds[..., None] * states[:, VX:VY + 1]
        self._states[rows] = states

    def _steer(
            self, rows: Indices, paced: MaskArray, pace: Pace | None,
    ) -> tuple[FloatArray, FloatArray]:
        """Heading and velocity (S, 3) to follow, and the deviation (S, 2) of the velocity."""
        reference = np.zeros((len(rows), 3), np.float32)
        std = np.full((len(rows), 2), self.settings.walk_std, np.float32)
        if pace is not None:
            told = np.concatenate([pace.heading[:, None], pace.velocity], axis=1)
            reference[paced] = told[paced]
            std[paced] = np.maximum(pace.velocity_std[paced], self.settings.velocity_std_floor)
        return reference, std

    def _see(self, rows: Indices, boxes: FloatArray, seen: MaskArray) -> None:
        """Take in boxes (S, 5) where `seen`."""
        where, spread = self._camera.locate(boxes[seen])
        with np.errstate(invalid='ignore', over='ignore'):
            usable = (np.abs(where).max(1, initial=0) <= MAX_DISTANCE_M) & (
                np.trace(spread, axis1=1, axis2=2) <= MAX_DISTANCE_M**2)
        rows, where, spread = rows[seen][usable], where[usable], spread[usable]
        old = self._known[rows]
        for row, centre, covariance in zip(rows[~old], where[~old], spread[~old], strict=True):
            self._place(row, centre, covariance)
        rows, where, spread = rows[old], where[old], spread[old]
        moved, distance = assimilate(self._states[rows], self._weights[rows], where, spread)
        agrees = distance <= DISAGREES
        self._states[rows[agrees]] = moved[agrees]
        self._states[rows, HIDE] = HIDDEN
        self._strikes[rows] = np.where(agrees, 0, self._strikes[rows] + 1)
        for place in np.flatnonzero(self._strikes[rows] >= STRIKES):
            turn = self._states[rows[place], TURN].copy()
            self._place(rows[place], where[place], spread[place])
            self._states[rows[place], TURN] = turn

    def _range(self, rows: Indices, ranges: Array, ranged: MaskArray) -> None:
        """Take in ranges (S,) [m] where `ranged`."""
        for place in np.flatnonzero(ranged & ~self._known[rows]):
            self._surround(rows[place], ranges[place])
            ranged = ranged & (np.arange(len(rows)) != place)
        rows, ranges = rows[ranged], ranges[ranged]
        x, y, slow = (self._states[rows, part] for part in (X, Y, SLOW))
        innovation = ranges[:, None].astype(np.float32) - self._ranging.expected(x, y) - slow
        variance = self._slow_variance[rows]
        likelihood, gain = self._ranging.likelihood(innovation, variance[:, None])
        weights = self._weights[rows] * likelihood
        self._weights[rows] = weights / weights.sum(1, keepdims=True)
        self._states[rows, SLOW] = slow + gain * innovation
        self._slow_variance[rows] = self._ranging.learned_variance(variance)
        visible = self._seen[rows, 0] == self._roster.stamps_ns[rows]
        if visible.any():
            both = rows[visible]
            mean = mean_of(self._states[both], self._weights[both])
            self._ranging.learn(ranges[visible], mean[:, :2].astype(np.float64))

    def _miss(self, rows: Indices, elapsed: FloatArray) -> None:
        """Take in that the camera did not see these subjects for `elapsed` seconds (S,)."""
        x, y, hidden = (self._states[rows, part] for part in (X, Y, HIDE))
        likelihood, self._states[rows, HIDE] = self._view.unseen(
            x, y, hidden, elapsed[:, None])
        weights = self._weights[rows] * likelihood
        self._weights[rows] = weights / weights.sum(1, keepdims=True)

    def _refresh(self, rows: Indices) -> None:
        """Resample the clouds in which few particles carry the weight."""
        few = effective_size(self._weights[rows]) < DEPLETED * self.settings.particles
        rows = rows[few]
        if rows.size:
            offsets = np.array([self._random[row].random() for row in rows])
            self._states[rows] = resample(self._states[rows], self._weights[rows], offsets)
            self._weights[rows] = 1 / self.settings.particles

    def _place(self, row: int, centre: Array, covariance: Array) -> None:
        """A new cloud about a position (2,) [m]."""
        draw = self._draw(row)
        self._states[row, :2] = centre[:, None] + np.linalg.cholesky(covariance) @ draw[:2]

    def _surround(self, row: int, measured: float) -> None:
        """A new cloud on a ring about the access point: a range says nothing about the bearing."""
        draw = self._draw(row)
        count = self.settings.particles
        slow = self.settings.range_bias_std * draw[0]
        radius = self._ranging.distance(measured - slow + RING_STD_M * draw[1])
        bearing = 2 * np.pi * (np.arange(count) + self._random[row].random()) / count
        ring = radius * np.stack([np.cos(bearing), np.sin(bearing)])
        self._states[row, :2] = self._ap[:, None] + ring
        self._states[row, SLOW] = slow
        self._slow_variance[row] = RING_STD_M**2

    def _draw(self, row: int) -> Array:
        """Reset all but the position of a cloud; normal numbers (2, P) for that."""
        own = self.settings
        draw = self._random[row].standard_normal((5, own.particles))
        self._states[row, VX:VY + 1] = own.walk_std * draw[2:4]
        self._states[row, TURN] = own.heading_std * draw[4]
        self._states[row, SLOW], self._states[row, HIDE] = 0.0, HIDDEN
        self._slow_variance[row] = own.range_bias_std**2
        self._weights[row] = 1 / own.particles
        self._known[row], self._paced[row], self._strikes[row] = True, False, 0
        return draw[:2]

    def _estimate(self, batch: SyncedBatch, served: Indices, rows: Indices) -> Estimate:
        count = len(batch.subjects)
        known = np.zeros(count, bool)
        known[served] = self._known[rows]
        mean, covariance = np.zeros((count, 7), np.float32), np.zeros((count, 2, 2), np.float32)
        clouds = rows[self._known[rows]]
        states, weights = self._states[clouds], self._weights[clouds]
        mean[known] = mean_of(states, weights)
        covariance[known] = position_covariance(states, weights, mean[known])
        seen = np.full((count, len(SENSORS)), NEVER)
        seen[served] = self._seen[rows]
        ages = np.where(seen == NEVER, np.inf, (batch.stamp_ns - np.maximum(seen, 0)) / 1e9)
        return Estimate(known, mean[:, :2], covariance, mean[:, VX:VY + 1], mean[:, TURN],
                        dict(zip(SENSORS, ages.T, strict=True)))

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

"""Particle filter of an area's subjects: positions that outlive the loss of any sensor.

Each subject has an ensemble of particles with position, velocity, compass error and a bias of the
ranges to each access point.
Camera boxes update it as a Kalman filter would; FTM ranges weight the particles; in between, the
model's velocity moves them along the compass heading, or a random walk where there is none.
docs/belief.md explains the choices.
"""

import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.twin.belief_gate import BeliefGate
from utt_ros.twin.ensemble import (
    effective_sample_size,
    ensemble_mean,
    ensrf_update,
    position_covariance,
    systematic_resample,
)
from utt_ros.twin.filter_types import Estimate, MotionPrior
from utt_ros.twin.ftm_model import MAX_DISTANCE_M, FtmRangeModel, usable_ranges
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.twin.phone_offsets import PhoneRangeOffsets
from utt_ros.twin.range_offsets import RangeOffsets
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import (
    STATE_SIZE,
    SubjectBelief,
    draw_ensemble,
    summarize_ensemble,
)
from utt_ros.twin.subject_slots import SubjectSlots, subject_generator
from utt_ros.twin.visibility import MISS_INTERVAL_TICKS, OCCLUSION_PROBABILITY, VisibilityMap
from utt_ros.types import (
    MODALITIES,
    NEVER_NS,
    Array,
    FloatArray,
    Indices,
    MaskArray,
    SyncedBatch,
)

# position [m], velocity [m/s], compass error [rad], bias of ranges to the first access point [m],
# probability of occlusion, biases of ranges to further access points [m]
X, Y, VX, VY, COMPASS, BIAS, OCCLUDED, FURTHER_BIAS = range(8)
MAX_NIS = 16.0  # squared Mahalanobis distance beyond which a box contradicts the ensemble
MAX_CONTRADICTIONS = 2  # in a row, at which the ensemble is placed anew at the box
MIN_EFFECTIVE_PARTICLE_SHARE = 0.5  # of the particles; an ensemble with less is resampled
RING_STD_M = 0.5  # radial deviation of a new ensemble about its first range
MAX_EMPTY_NS = 3_000_000_000  # a camera that detected nobody for longer may be covered
SURE_VARIANCE_M2 = 9.0  # of x and y together: less is sure, and worth handing over


class ParticleFilter:
    """Ensembles of all subjects of one area, stepped once per tick."""

    def __init__(
        self, area: AreaSettings, settings: ParticleFilterSettings | None = None,
        neighbours: NeighbourBeliefs | None = None, offsets: RangeOffsets | None = None,
    ) -> None:
        """`neighbours`: beliefs of other areas, with which unsure subjects begin.

        `offsets`: of ranges, as an earlier run or a survey found them.
        """
        self.settings = settings or ParticleFilterSettings()
        self._neighbours = neighbours
        self._camera = CameraModel(area)
        self._visibility = VisibilityMap(self._camera)
        self._ftm = tuple(
            FtmRangeModel(area, self.settings, number,
                          offsets.of_access_point(area, number) if offsets else None)
            for number in range(len(area.ap_positions)))
        self._addresses = area.ap_addresses or ('',)
        self._phones = PhoneRangeOffsets(self.settings.max_subjects, self._addresses, offsets)
        self._biases = (BIAS, *range(FURTHER_BIAS, FURTHER_BIAS + len(self._ftm) - 1))
        rows, particles = self.settings.max_subjects, self.settings.particles
        self._states = np.zeros((rows, OCCLUDED + len(self._ftm), particles), np.float32)
        self._weights = np.full((rows, particles), 1 / particles, np.float32)
        self._bias_variance = np.zeros((rows, len(self._ftm)), np.float32)
        self._reference = np.zeros((rows, 3), np.float32)  # heading, velocity of the last prior
        self._known, self._guided = np.zeros(rows, bool), np.zeros(rows, bool)
        self._sure = np.zeros(rows, bool)
        self._contradictions = np.zeros(rows, np.intp)
        self._gate = BeliefGate(self._camera, self._ftm, self.settings)
        self._slots = SubjectSlots(rows, self.settings.max_gap)
        self._measured_ns = np.full((rows, len(MODALITIES)), NEVER_NS, np.int64)
        self._random = [subject_generator('', row) for row in range(rows)]
        self._detection_ns = NEVER_NS

    @property
    def refused(self) -> int:
        """Subjects times ticks beyond `max_subjects`."""
        return self._slots.refused

    @property
    def range_trends(self) -> Array:
        """Learned offsets [m] and slopes [m/m] of ranges to A access points, (A, 2)."""
        return np.stack([model.trend for model in self._ftm])

    def known_offsets(self) -> RangeOffsets:
        """Return offsets of ranges that were given or learned, for a later start."""
        rows = [model.known_offset(address)
                for model, address in zip(self._ftm, self._addresses, strict=True)]
        return RangeOffsets(tuple(row for row in rows if row), tuple(self._phones.kept()))

    def step(self, batch: SyncedBatch, prior: MotionPrior | None = None) -> Estimate:
        """Predict all subjects of a tick to its stamp and update them with its measurements.

        Values that are not finite or absurd count as not measured. A new epoch, or an absence of
        more than `max_gap`, starts a subject anew. Raises MeasurementError for a tick with ranges
        of more access points than the area has.
        """
        ranges, ranged = usable_ranges(batch, len(self._ftm))
        rows, elapsed, new = self._slots.assign(batch)
        for name, row in new:
            self._reset(row, name, batch.epoch)
        served = np.flatnonzero(rows >= 0)
        rows, elapsed = rows[served], elapsed[served]
        if prior is not None:
            prior = MotionPrior(prior.heading[served], prior.heading_valid[served],
                                prior.velocity[served], prior.velocity_std[served])
        measured = self._usable(batch, ranged, served, rows)
        self._predict(rows, elapsed, prior)
        if self._neighbours:
            heard = np.where(ranged, ranges, np.nan)
            self._take_over(self._neighbours, batch, served, rows, (measured, heard))
        self._update_camera(rows, batch.camera[served], measured[:, 0])
        for number in np.flatnonzero(ranged[served].any(0)).tolist():
            self._update_ftm(number, rows, ranges[served, number], ranged[served, number])
        if self._camera_works(batch) and batch.sequence % MISS_INTERVAL_TICKS == 0:
            missed = ~measured[:, 0] & self._known[rows]
            self._update_missed_detection(rows[missed], MISS_INTERVAL_TICKS * elapsed[missed])
        self._resample_depleted(rows)
        return self._estimate(batch, served, rows)

    def sure_beliefs(self, stamp_ns: int) -> dict[str, SubjectBelief]:
        """Return the beliefs that are sure about subjects of the tick of that stamp, by name."""
        return {
            name: summarize_ensemble(
                self._states[row], self._weights[row],
                self._reference[row].astype(np.float64) if self._guided[row] else None)
            for name, row in self._slots.rows.items()
            if self._sure[row] and self._slots.stamps_ns[row] == stamp_ns}

    def _take_over(
        self, neighbours: NeighbourBeliefs, batch: SyncedBatch, served: Indices, rows: Indices,
        measurements: tuple[MaskArray, Array],
    ) -> None:
        """Begin unsure subjects with a box or range by what other areas believe about them.

        `measurements`: which there are (S, 3), and ranges (N, A), NaN where there is none. A
        belief that contradicts these, or the ensemble, is not used.
        """
        measured, ranges = measurements
        for index in np.flatnonzero(~self._sure[rows] & measured[:, :2].any(1)).tolist():
            sample, row = served[index], rows[index]
            offer = neighbours.offer(batch.subjects[sample], batch.stamp_ns)
            if offer is None or (
                    self._known[row] and offer.position_variance > SURE_VARIANCE_M2):
                continue
            box = batch.camera[sample] if measured[index, 0] else None
            if self._admits(offer, row, box, ranges[sample]):
                self._place_belief(row, offer)
                neighbours.taken += 1
            else:
                neighbours.contradicted += 1

    def _admits(
        self, offer: SubjectBelief, row: int, box: FloatArray | None, ranges: Array,
    ) -> bool:
        """Return whether an offered belief agrees with measurements and with an ensemble."""
        if box is not None and not self._gate.admits_box(offer, box):
            return False
        if self._known[row]:
            states, weights = self._states[row:row + 1], self._weights[row:row + 1]
            mean = ensemble_mean(states, weights)
            spread = position_covariance(states, weights, mean)
            if not self._gate.admits_ensemble(offer, mean[0, :2], spread[0]):
                return False
        return self._gate.admits_ranges(offer, ranges)

    def _place_belief(self, row: int, belief: SubjectBelief) -> None:
        """Start an ensemble with a belief, and the motion prior that moved it last."""
        self._draw(row)
        self._states[row, :STATE_SIZE] = draw_ensemble(
            belief, self._random[row].standard_normal((STATE_SIZE, self.settings.particles)))
        if belief.motion is not None:
            self._reference[row], self._guided[row] = belief.motion, True

    def _camera_works(self, batch: SyncedBatch) -> bool:
        """Return whether missed detections are evidence: a covered camera detects nobody."""
        if batch.camera_mask.any():
            self._detection_ns = batch.stamp_ns
        return batch.camera_tick and 0 <= batch.stamp_ns - self._detection_ns <= MAX_EMPTY_NS

    def _reset(self, row: int, name: str, epoch: int) -> None:
        self._random[row] = subject_generator(name, epoch)
        self._phones.start(row, name)
        self._known[row] = self._guided[row] = self._sure[row] = False
        self._contradictions[row], self._measured_ns[row] = 0, NEVER_NS

    def _usable(
        self, batch: SyncedBatch, ranged: MaskArray, served: Indices, rows: Indices,
    ) -> MaskArray:
        """Return where a measurement is new and usable (S, 3), and record its stamp."""
        measured = np.stack([
            batch.camera_mask & np.isfinite(batch.camera).all(1),
            ranged.any(1),
            batch.imu_mask.any(1)], axis=1)[served]
        self._measured_ns[rows] = np.where(measured, batch.stamp_ns, self._measured_ns[rows])
        return np.asarray(measured)

    def _predict(self, rows: Indices, elapsed: FloatArray, prior: MotionPrior | None) -> None:
        """Move every particle through `elapsed` seconds (S,).

        Velocity v = R(heading + error) (u + e): u is the model's velocity, its error e an
        Ornstein-Uhlenbeck process, as are the compass error and the range bias [D]. Without a
        prior u = 0 and e has the deviation `walk_std`. In steps of the area frame:

            v' = a R(heading' - heading) v + R(heading' + error') (u' - a u + noise)
        """
        own, seconds = self.settings, elapsed[:, None]
        guided = np.zeros(len(rows), bool) if prior is None else prior.heading_valid
        reference, std = self._reference_motion(rows, guided, prior)
        old = np.where((self._guided[rows] == guided)[:, None], self._reference[rows], reference)
        keep = np.exp(-elapsed / np.where(guided, own.velocity_tau, own.walk_tau))
        unseen = self._measured_ns[rows, 0] < (
            self._slots.stamps_ns[rows] - round(2e9 * own.velocity_tau))
        keep[unseen & guided & ~self._guided[rows]] = 0.0  # drop a random walk's velocity
        keep = keep.astype(np.float32)[:, None]
        self._reference[rows], self._guided[rows] = reference, guided

        noise = np.empty((len(rows), 3, own.particles), np.float32)
        for index, row in enumerate(rows):
            self._random[row].standard_normal(dtype=np.float32, out=noise[index])
        states = self._states[rows]
        last = np.exp(-seconds / np.float32(own.heading_tau))
        states[:, COMPASS] *= last
        states[:, COMPASS] += own.heading_std * np.sqrt(1 - last**2) * noise[:, 0]
        last = np.exp(-seconds / np.float32(own.range_bias_tau))
        states[:, BIAS] *= last
        states[:, FURTHER_BIAS:] *= last[..., None]
        self._bias_variance[rows] += (1 - last**2) * (
            own.range_bias_std**2 - self._bias_variance[rows])

        change = reference[:, 1:] - keep * old[:, 1:]
        change = change[..., None] + (np.sqrt(1 - keep**2) * std)[..., None] * noise[:, 1:]
        heading = reference[:, :1] + states[:, COMPASS]
        cos, sin = np.cos(heading), np.sin(heading)
        turn = reference[:, :1] - old[:, :1]
        keep_cos, keep_sin = keep * np.cos(turn), keep * np.sin(turn)
        vx, vy = states[:, VX], states[:, VY]
        states[:, VX], states[:, VY] = (
            keep_cos * vx - keep_sin * vy + cos * change[:, 0] - sin * change[:, 1],
            keep_sin * vx + keep_cos * vy + sin * change[:, 0] + cos * change[:, 1])
        states[:, :2] += seconds[..., None] * states[:, VX:VY + 1]
        self._states[rows] = states

    def _reference_motion(
            self, rows: Indices, guided: MaskArray, prior: MotionPrior | None,
    ) -> tuple[FloatArray, FloatArray]:
        """Return heading and velocity (S, 3) of the prior and the velocity's deviation (S, 2)."""
        reference = np.zeros((len(rows), 3), np.float32)
        std = np.full((len(rows), 2), self.settings.walk_std, np.float32)
        if prior is not None:
            motion = np.concatenate([prior.heading[:, None], prior.velocity], axis=1)
            reference[guided] = motion[guided]
            std[guided] = np.maximum(
                prior.velocity_std[guided], self.settings.velocity_std_floor)
        return reference, std

    def _update_camera(self, rows: Indices, boxes: FloatArray, seen: MaskArray) -> None:
        """Update with boxes (S, 5) where `seen` (S,)."""
        positions, covariances = self._camera.locate(boxes[seen])
        with np.errstate(invalid='ignore', over='ignore'):
            usable = (np.abs(positions).max(1, initial=0) <= MAX_DISTANCE_M) & (
                np.trace(covariances, axis1=1, axis2=2) <= MAX_DISTANCE_M**2)
        rows, positions, covariances = rows[seen][usable], positions[usable], covariances[usable]
        old = self._known[rows]
        for row, centre, covariance in zip(
                rows[~old], positions[~old], covariances[~old], strict=True):
            self._place(row, centre, covariance)
        rows, positions, covariances = rows[old], positions[old], covariances[old]
        moved, nis = ensrf_update(
            self._states[rows], self._weights[rows], positions, covariances)
        agrees = nis <= MAX_NIS
        self._states[rows[agrees]] = moved[agrees]
        self._states[rows, OCCLUDED] = OCCLUSION_PROBABILITY
        self._contradictions[rows] = np.where(agrees, 0, self._contradictions[rows] + 1)
        for index in np.flatnonzero(self._contradictions[rows] >= MAX_CONTRADICTIONS):
            compass = self._states[rows[index], COMPASS].copy()
            self._place(rows[index], positions[index], covariances[index])
            self._states[rows[index], COMPASS] = compass

    def _update_ftm(
        self, number: int, rows: Indices, ranges: Array, ranged: MaskArray,
    ) -> None:
        """Update with ranges (S,) [m] to an access point, where `ranged` (S,)."""
        model, part = self._ftm[number], self._biases[number]
        ranges = ranges - self._phones.applied[rows, number]
        for index in np.flatnonzero(ranged & ~self._known[rows]):
            self._place_on_ring(rows[index], number, ranges[index])
            ranged = ranged & (np.arange(len(rows)) != index)
        rows, ranges = rows[ranged], ranges[ranged]
        x, y, bias = self._states[rows, X], self._states[rows, Y], self._states[rows, part]
        innovation = ranges[:, None].astype(np.float32) - model.expected_range(x, y) - bias
        variance = self._bias_variance[rows, number]
        likelihood, gain = model.likelihood(innovation, variance[:, None])
        self._multiply_weights(rows, likelihood)
        self._states[rows, part] = bias + gain * innovation
        self._bias_variance[rows, number] = model.posterior_bias_variance(variance)
        visible = self._measured_ns[rows, 0] == self._slots.stamps_ns[rows]
        if visible.any():
            seen = rows[visible]
            mean = ensemble_mean(self._states[seen], self._weights[seen])
            places = mean[:, :2].astype(np.float64)
            model.update_trend(ranges[visible], places)
            self._phones.learn(number, seen, model.residuals(ranges[visible], places),
                               model.repeated_precision)

    def _update_missed_detection(self, rows: Indices, elapsed: FloatArray) -> None:
        """Update subjects that the camera did not detect for `elapsed` seconds (S,)."""
        x, y, occluded = (self._states[rows, part] for part in (X, Y, OCCLUDED))
        likelihood, self._states[rows, OCCLUDED] = self._visibility.missed_detection(
            x, y, occluded, elapsed[:, None])
        self._multiply_weights(rows, likelihood)

    def _multiply_weights(self, rows: Indices, likelihood: FloatArray) -> None:
        weights = self._weights[rows] * likelihood
        self._weights[rows] = weights / weights.sum(1, keepdims=True)

    def _resample_depleted(self, rows: Indices) -> None:
        """Resample the ensembles in which few particles carry the weight."""
        size = effective_sample_size(self._weights[rows])
        rows = rows[size < MIN_EFFECTIVE_PARTICLE_SHARE * self.settings.particles]
        if rows.size:
            offsets = np.array([self._random[row].random() for row in rows])
            self._states[rows] = systematic_resample(
                self._states[rows], self._weights[rows], offsets)
            self._weights[rows] = 1 / self.settings.particles

    def _place(self, row: int, centre: Array, covariance: Array) -> None:
        """Start an ensemble about a position (2,) [m]."""
        draw = self._draw(row)
        self._states[row, :2] = centre[:, None] + np.linalg.cholesky(covariance) @ draw[:2]

    def _place_on_ring(self, row: int, number: int, measured: float) -> None:
        """Start an ensemble on a ring about an access point: a range has no bearing."""
        draw, model = self._draw(row), self._ftm[number]
        count = self.settings.particles
        bias = self.settings.range_bias_std * draw[0]
        radius = model.floor_distance(measured - bias + RING_STD_M * draw[1])
        bearing = 2 * np.pi * (np.arange(count) + self._random[row].random()) / count
        ring = radius * np.stack([np.cos(bearing), np.sin(bearing)])
        self._states[row, :2] = model.position[:, None] + ring
        self._states[row, self._biases[number]] = bias
        self._bias_variance[row, number] = RING_STD_M**2

    def _draw(self, row: int) -> Array:
        """Draw all but the positions of an ensemble; return normal numbers (2, P) for those."""
        own = self.settings
        draw = self._random[row].standard_normal((5, own.particles))
        self._states[row, VX:VY + 1] = own.walk_std * draw[2:4]
        self._states[row, COMPASS] = own.heading_std * draw[4]
        self._states[row, self._biases] = 0.0
        self._states[row, OCCLUDED] = OCCLUSION_PROBABILITY
        self._bias_variance[row] = own.range_bias_std**2
        self._weights[row] = 1 / own.particles
        self._known[row], self._guided[row], self._contradictions[row] = True, False, 0
        return draw[:2]

    def _estimate(self, batch: SyncedBatch, served: Indices, rows: Indices) -> Estimate:
        count = len(batch.subjects)
        known = np.zeros(count, bool)
        known[served] = self._known[rows]
        mean = np.zeros((count, self._states.shape[1]), np.float32)
        covariance = np.zeros((count, 2, 2), np.float32)
        known_rows = rows[self._known[rows]]
        states, weights = self._states[known_rows], self._weights[known_rows]
        mean[known] = ensemble_mean(states, weights)
        covariance[known] = position_covariance(states, weights, mean[known])
        self._sure[rows] = self._known[rows] & (
            np.trace(covariance[served], axis1=1, axis2=2) <= SURE_VARIANCE_M2)
        measured_ns = np.full((count, len(MODALITIES)), NEVER_NS)
        measured_ns[served] = self._measured_ns[rows]
        ages = np.where(measured_ns == NEVER_NS, np.inf,
                        (batch.stamp_ns - np.maximum(measured_ns, 0)) / 1e9)
        return Estimate(known, mean[:, :2], covariance, mean[:, VX:VY + 1], mean[:, COMPASS],
                        dict(zip(MODALITIES, ages.T, strict=True)))

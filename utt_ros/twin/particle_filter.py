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
from utt_ros.motion.velocity import PositionObservations, observe_positions
from utt_ros.settings import AreaSettings
from utt_ros.twin.belief_gate import BeliefGate
from utt_ros.twin.belief_handover import BeliefHandover
from utt_ros.twin.box_sizes import BoxSizes
from utt_ros.twin.ensemble import ensemble_mean, ensrf_update
from utt_ros.twin.ensemble_motion import predict_ensembles
from utt_ros.twin.expected_measurements import ExpectedMeasurement, expect_box, expect_range
from utt_ros.twin.filter_types import Estimate, MotionPrior
from utt_ros.twin.ftm_model import MAX_DISTANCE_M, usable_ranges
from utt_ros.twin.held_fields import HeldFields
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.twin.range_models import AreaRangeModels
from utt_ros.twin.range_offsets import RangeOffsets
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import SubjectBelief
from utt_ros.twin.subject_ensembles import (
    BIAS,
    COMPASS,
    OCCLUDED,
    SURE_VARIANCE_M2,
    VX,
    VY,
    SubjectEnsembles,
    X,
    Y,
)
from utt_ros.twin.subject_slots import SubjectSlots
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

MAX_NIS = 16.0  # squared Mahalanobis distance beyond which a box contradicts the ensemble
MAX_CONTRADICTIONS = 2  # in a row, at which the ensemble is placed anew at the box
MAX_EMPTY_NS = 3_000_000_000  # a camera that detected nobody for longer may be covered


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
        own, rows = self.settings, self.settings.max_subjects
        camera = CameraModel(area, own.box_error, own.body_spread)
        self._area, self._camera, self._visibility = area, camera, VisibilityMap(camera)
        self._ranges = AreaRangeModels(area, self.settings, offsets)
        self._ensembles = SubjectEnsembles(self.settings, len(self._ranges.models))
        gate = BeliefGate(camera, self._ranges.models, self.settings)
        self._handover = BeliefHandover(neighbours, gate, self._ensembles)
        self._sizes, self._fields = BoxSizes(rows), HeldFields(rows)
        self._slots = SubjectSlots(rows, self.settings.max_gap)
        self._measured_ns = np.full((rows, len(MODALITIES)), NEVER_NS, np.int64)
        self._detection_ns = NEVER_NS
        self._served: Indices = np.zeros(0, np.intp)  # rows of the last tick
        self._unlearned: tuple[SyncedBatch, Indices] | None = None  # last tick, subjects served

    @property
    def refused(self) -> int:
        """Subjects times ticks beyond `max_subjects`."""
        return self._slots.refused

    @property
    def range_trends(self) -> Array:
        """Learned offsets [m] and slopes [m/m] of ranges to A access points, (A, 2)."""
        return self._ranges.trends

    def known_offsets(self) -> RangeOffsets:
        """Return offsets of ranges that were given or learned, for a later start."""
        return self._ranges.known_offsets()

    def step(
        self, batch: SyncedBatch, prior: MotionPrior | None = None,
        observed: PositionObservations | None = None,
    ) -> Estimate:
        """Predict all subjects of a tick to its stamp and update them with its measurements.

        Values that are not finite or absurd count as not measured. A new epoch, or an absence of
        more than `max_gap`, starts a subject anew. Raises MeasurementError for a tick with ranges
        of more access points than the area has.

        `observed` (S,): positions of the boxes of the batch with the usual errors; computed here
        when None, or when the settings give others.
        """
        if observed is None or self.settings.has_other_box_errors:
            observed = observe_positions(batch.camera, batch.camera_mask, self._area, self._camera)
        ranges, ranged = usable_ranges(batch, len(self._ranges.models))
        rows, elapsed, new = self._slots.assign(batch)
        for name, row in new:
            self._reset(row, name, batch.epoch)
        served = np.flatnonzero(rows >= 0)
        rows, elapsed = rows[served], elapsed[served]
        if prior is not None:
            prior = MotionPrior(prior.heading[served], prior.heading_valid[served],
                                prior.velocity[served], prior.velocity_std[served])
        measured = self._usable(batch, ranged, served, rows)
        self._predict(rows, elapsed, prior, batch.stamp_ns)
        self._handover.take_over(
            batch, served, rows, measured, np.where(ranged, ranges, np.nan))
        self._update_camera(rows, observed[served], measured[:, 0])
        self._learn_sizes(rows, batch.camera[served], observed[served], measured[:, 0])
        for number in np.flatnonzero(ranged[served].any(0)).tolist():
            self._update_ftm(number, rows, ranges[served, number], ranged[served, number])
        if self._camera_works(batch) and batch.sequence % MISS_INTERVAL_TICKS == 0:
            missed = ~measured[:, 0] & self._ensembles.known[rows]
            self._update_missed_detection(rows[missed], MISS_INTERVAL_TICKS * elapsed[missed])
        self._ensembles.resample_depleted(rows)
        self._served, self._unlearned = rows, (batch, served)
        return self._estimate(batch, served, rows)

    def learn_fields(self) -> None:
        """Learn how phones are held from the last tick; once, and free to be done late in it."""
        if self._unlearned is not None:
            (batch, served), self._unlearned = self._unlearned, None
            self._fields.learn(self._served, batch.imu[served], batch.imu_mask[served],
                               self._ensembles.courses(self._served), batch.stamp_ns)

    def prepare_next(self) -> None:
        """Draw the random numbers of the next tick, which is free to be done between ticks."""
        self._ensembles.draw_noise(self._served)

    def sure_beliefs(self, stamp_ns: int) -> dict[str, SubjectBelief]:
        """Return the beliefs that are sure about subjects of the tick of that stamp, by name."""
        return {
            name: self._ensembles.belief(row)
            for name, row in self._slots.rows.items()
            if self._ensembles.sure[row] and self._slots.stamps_ns[row] == stamp_ns}

    def expected_measurements(self, target: str, stamp_ns: int) -> dict[str, ExpectedMeasurement]:
        """Return boxes, ranges to the first access point, or IMUs of subjects at the last tick.

        `stamp_ns` is that of the tick; empty for another one.
        """
        own, expected = self._ensembles, {}
        for name, row in self._slots.rows.items():
            if not own.known[row] or self._slots.stamps_ns[row] != stamp_ns:
                continue
            positions, weights = own.states[row, :VX], own.weights[row]
            if target == 'camera':
                age_s = (stamp_ns - max(int(self._measured_ns[row, 0]), 0)) / 1e9
                found = expect_box(
                    self._camera, positions, weights, self._sizes.ratio(row, age_s))
            elif target == 'ftm':
                found = expect_range(self._ranges.models[0], positions, own.states[row, BIAS],
                                     float(own.bias_variance[row, 0]), weights)
            else:
                found = self._fields.expect(row, own.courses(np.array([row]))[:, 0], stamp_ns)
            if found is not None:
                expected[name] = found
        return expected

    def _camera_works(self, batch: SyncedBatch) -> bool:
        """Return whether missed detections are evidence: a covered camera detects nobody."""
        if batch.camera_mask.any():
            self._detection_ns = batch.stamp_ns
        return batch.camera_tick and 0 <= batch.stamp_ns - self._detection_ns <= MAX_EMPTY_NS

    def _reset(self, row: int, name: str, epoch: int) -> None:
        self._ensembles.reset(row, name, epoch)
        self._ranges.start_phone(row, name)
        self._sizes.forget(row)
        self._fields.forget(row)
        self._measured_ns[row] = NEVER_NS

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

    def _predict(
        self, rows: Indices, elapsed: FloatArray, prior: MotionPrior | None, stamp_ns: int,
    ) -> None:
        long_ago_ns = stamp_ns - round(2e9 * self.settings.velocity_tau)
        predict_ensembles(
            self._ensembles, rows, elapsed, prior, self._measured_ns[rows, 0] < long_ago_ns)

    def _update_camera(
        self, rows: Indices, observed: PositionObservations, seen: MaskArray,
    ) -> None:
        """Update with the positions (S,) of boxes where `seen` (S,)."""
        own, positions, covariances = self._ensembles, observed.positions, observed.covariances
        usable = seen & observed.mask & (np.abs(positions).max(1, initial=0) <= MAX_DISTANCE_M) & (
            np.trace(covariances, axis1=1, axis2=2) <= MAX_DISTANCE_M**2)
        rows, positions, covariances = rows[usable], positions[usable], covariances[usable]
        old = own.known[rows]
        for row, centre, covariance in zip(
                rows[~old], positions[~old], covariances[~old], strict=True):
            own.place(row, centre, covariance)
        rows, positions, covariances = rows[old], positions[old], covariances[old]
        moved, nis = ensrf_update(
            own.states[rows], own.weights[rows], positions, covariances)
        agrees = nis <= MAX_NIS
        own.states[rows[agrees]] = moved[agrees]
        own.states[rows, OCCLUDED] = OCCLUSION_PROBABILITY
        own.contradictions[rows] = np.where(agrees, 0, own.contradictions[rows] + 1)
        for index in np.flatnonzero(own.contradictions[rows] >= MAX_CONTRADICTIONS):
            compass = own.states[rows[index], COMPASS].copy()
            own.place(rows[index], positions[index], covariances[index])
            own.states[rows[index], COMPASS] = compass

    def _learn_sizes(
        self, rows: Indices, boxes: FloatArray, observed: PositionObservations, seen: MaskArray,
    ) -> None:
        usable = seen & observed.mask
        projected = self._camera.project(observed.positions[usable])
        self._sizes.learn(rows[usable], boxes[usable].astype(np.float64), projected)

    def _update_ftm(
        self, number: int, rows: Indices, ranges: Array, ranged: MaskArray,
    ) -> None:
        """Update with ranges (S,) [m] to an access point, where `ranged` (S,)."""
        own, model = self._ensembles, self._ranges.models[number]
        part = own.biases[number]
        ranges = self._ranges.without_phones(number, rows, ranges)
        for index in np.flatnonzero(ranged & ~own.known[rows]):
            own.place_on_ring(rows[index], number, model, ranges[index])
            ranged = ranged & (np.arange(len(rows)) != index)
        rows, ranges = rows[ranged], ranges[ranged]
        x, y, bias = own.states[rows, X], own.states[rows, Y], own.states[rows, part]
        innovation = ranges[:, None].astype(np.float32) - model.expected_range(x, y) - bias
        variance = own.bias_variance[rows, number]
        likelihood, gain = model.likelihood(innovation, variance[:, None])
        own.multiply_weights(rows, likelihood)
        own.states[rows, part] = bias + gain * innovation
        own.bias_variance[rows, number] = model.posterior_bias_variance(variance)
        visible = self._measured_ns[rows, 0] == self._slots.stamps_ns[rows]
        if visible.any():
            seen = rows[visible]
            mean = ensemble_mean(own.states[seen], own.weights[seen])
            self._ranges.learn(number, seen, ranges[visible], mean[:, :2].astype(np.float64))

    def _update_missed_detection(self, rows: Indices, elapsed: FloatArray) -> None:
        """Update subjects that the camera did not detect for `elapsed` seconds (S,)."""
        own = self._ensembles
        x, y, occluded = (own.states[rows, part] for part in (X, Y, OCCLUDED))
        likelihood, own.states[rows, OCCLUDED] = self._visibility.missed_detection(
            x, y, occluded, elapsed[:, None])
        own.multiply_weights(rows, likelihood)

    def _estimate(self, batch: SyncedBatch, served: Indices, rows: Indices) -> Estimate:
        own, count = self._ensembles, len(batch.subjects)
        known = np.zeros(count, bool)
        known[served] = own.known[rows]
        mean = np.zeros((count, own.states.shape[1]), np.float32)
        covariance = np.zeros((count, 2, 2), np.float32)
        mean[known], covariance[known] = own.moments(rows[own.known[rows]])
        own.sure[rows] = own.known[rows] & (
            np.trace(covariance[served], axis1=1, axis2=2) <= SURE_VARIANCE_M2)
        measured_ns = np.full((count, len(MODALITIES)), NEVER_NS)
        measured_ns[served] = self._measured_ns[rows]
        ages = np.where(measured_ns == NEVER_NS, np.inf,
                        (batch.stamp_ns - np.maximum(measured_ns, 0)) / 1e9)
        return Estimate(known, mean[:, :2], covariance, mean[:, VX:VY + 1], mean[:, COMPASS],
                        dict(zip(MODALITIES, ages.T, strict=True)))

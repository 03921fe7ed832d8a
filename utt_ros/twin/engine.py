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

"""Twin engine of one area: a synced batch in, predictions of all its subjects out."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from utt_ros.geometry.ap_geometry import ap_geometry
from utt_ros.geometry.compass import estimate_heading, rotate, rotate_magnetic_field
from utt_ros.motion.features import heading_frame, make_context
from utt_ros.motion.gait import gait_features
from utt_ros.motion.velocity import VelocityTracker, observe_positions
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.window_buffer import WindowBuffer
from utt_ros.twin.expected_measurements import ExpectedMeasurements
from utt_ros.twin.filter_types import Estimate, MotionPrior
from utt_ros.twin.imu_synthesis import ImuSynthesizer
from utt_ros.twin.model_service import MAX_WAIT_S, ModelService, ServableModel
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.twin.onnx_model import MotionOutput
from utt_ros.twin.particle_filter import ParticleFilter
from utt_ros.twin.range_offsets import RangeOffsets
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import AreaBeliefs, transform_belief
from utt_ros.twin.tick_types import (
    LocatedTick,
    PendingTick,
    TickImu,
    TickPositions,
    TickPredictions,
)
from utt_ros.types import (
    AP_GEOMETRY,
    FURTHER_FTM,
    MODALITIES,
    Array,
    FloatArray,
    MaskArray,
    SyncedBatch,
    Windows,
)

SOURCE_MAX_AGE_S = {'camera': 0.5, 'ftm': 2.0, 'imu': 0.5}  # up to which a sensor is a source
NO_VELOCITY = np.full((2, 2), np.nan, np.float32)  # of a subject without an earlier model output
LAG_S = 0.02  # of the newest IMU row behind its tick, as the synchronizer's `lag`


class TwinEngine:
    """Particle filter and model of one area. For one thread; `deploy` may be called from any.

    A step has parts, so that each output is out before the next one is computed: positions, the
    predicted motion, the synthesized IMU. The velocity that the model predicts at a tick enters
    the filter at the next one. Headings are those of the tick itself.
    """

    def __init__(
        self, area: AreaSettings, window: WindowSettings,
        belief: ParticleFilterSettings | None = None, lag_s: float = LAG_S,
        neighbours: NeighbourBeliefs | None = None, *, offsets: RangeOffsets | None = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        """`neighbours`: beliefs of other areas; `offsets`: of ranges, to begin with.

        A tick waits `max_wait_s` for its model; replays give REPLAY_WAIT_S.
        """
        self._area, self._window, self._neighbours = area, window, neighbours
        self._history = WindowBuffer(window.ticks, window.imu_rows, window.period)
        self._offsets = offsets  # of ranges, at the start
        self._filter = ParticleFilter(area, belief, neighbours, offsets)
        self._refused_before = 0  # by filters before a reset
        self._velocities = VelocityTracker(area)
        self._imu = ImuSynthesizer(window, lag_s, self._area.magnetic_yaw)
        self._compass_errors: dict[str, float] = {}  # by subject [rad]
        self._model_velocities: dict[str, FloatArray] = {}  # by subject (2, 2): mean, std
        self._epoch = -1
        seconds = window.period * np.arange(1, window.horizon + 1)
        self._horizon_s = seconds.astype(np.float32)
        self._horizon_ns = np.round(1e9 * seconds).astype(np.int64)
        self._row_s = window.period / window.imu_rows
        self.models = ModelService(self._horizon_s, max_wait_s)

    @property
    def refused(self) -> int:
        """Subjects times ticks for which the filter had no slot."""
        return self._refused_before + self._filter.refused

    @property
    def range_trends(self) -> Array:
        """Learned offsets [m] and slopes [m/m] of ranges to A access points, (A, 2)."""
        return self._filter.range_trends

    def known_offsets(self) -> RangeOffsets:
        """Return offsets of ranges that were given or learned, for a later start."""
        return self._filter.known_offsets()

    @property
    def failures(self) -> int:
        """Ticks at which the model gave no usable output."""
        return self.models.failures

    @property
    def failure(self) -> str:
        """Reason of the newest of these failures."""
        return self.models.failure

    def deploy(self, model: ServableModel, round_: int | None = None) -> None:
        """Use another model from the next tick on."""
        self.models.deploy(model, round_)

    def reset_belief(self) -> int:
        """Restart the particle filter; return the number of subjects of the last tick.

        Not between the halves of a step. Windows, and so the model, go on as before.
        """
        subjects = len(self._compass_errors)
        self._refused_before += self._filter.refused
        self._filter = ParticleFilter(
            self._area, self._filter.settings, self._neighbours, self._offsets)
        self._compass_errors, self._model_velocities = {}, {}
        return subjects

    def sure_beliefs(self, stamp_ns: int) -> AreaBeliefs:
        """Return the sure beliefs about subjects of the tick of that stamp, in `map`."""
        pose = self._area.pose_in_map
        return AreaBeliefs(self._area.area, stamp_ns, {
            name: transform_belief(belief, pose)
            for name, belief in self._filter.sure_beliefs(stamp_ns).items()})

    def expected_measurements(self, target: str, stamp_ns: int) -> ExpectedMeasurements:
        """Return measurements that the belief expects of subjects at the last tick."""
        return self._filter.expected_measurements(target, stamp_ns)

    def step(self, batch: SyncedBatch) -> TickPredictions:
        """Process one tick. A failure of the model is counted, and the filter goes on without."""
        tick = self.begin(self.locate(batch))
        predictions = self.predict(tick)
        imu = self.synthesize(tick)
        return predictions if imu is None else replace(
            predictions, imu=imu.rows, imu_mean=imu.mean)

    def locate(self, batch: SyncedBatch) -> LocatedTick:
        """First part of a step: estimate positions, and no more than they need.

        Raises MeasurementError for a batch of another shape.
        """
        self._history.push(batch)
        if batch.epoch != self._epoch:
            self._epoch, self._compass_errors, self._model_velocities = batch.epoch, {}, {}
            self._velocities.reset()
            self._imu.reset()
        windows = self._with_geometry(self._history.windows())
        heading = estimate_heading(
            windows.values['imu'], windows.masks['imu'], self._row_s, self._area.magnetic_yaw)
        observed = observe_positions(batch.camera, batch.camera_mask, self._area)
        estimate = self._filter.step(
            batch, self._motion_prior(batch.subjects, heading.heading, heading.valid), observed)
        known = np.flatnonzero(estimate.known)
        positions = TickPositions(
            batch.stamp_ns, tuple(batch.subjects[row] for row in known),
            estimate.position[known], estimate.covariance[known])
        return LocatedTick(positions, batch, windows, observed, heading, estimate, known)

    def begin(self, tick: LocatedTick, imu_of: Collection[str] | None = None) -> PendingTick:
        """Second part: start the model, for motion and then for the IMU of some subjects.

        `imu_of`: subjects whose IMU is synthesized; all when None. A gait begins when it is.
        """
        batch, phone, windows = tick.batch, tick.heading, tick.windows
        velocity, velocity_valid = self._velocities.update(batch, tick.observed)
        errors = np.array(
            [self._compass_errors.get(name, 0.0) for name in batch.subjects], np.float32)
        frame = heading_frame(phone.heading + errors, phone.valid, velocity)
        context = make_context(
            phone.valid, velocity_valid, rotate(velocity, -frame[:, None]), gait_features(
                windows.values['imu'], windows.masks['imu'], phone.turns, self._row_s))
        output = self.models.submit(context)
        wanted = np.array([imu_of is None or name in imu_of for name in batch.subjects], bool)
        rows = np.flatnonzero(wanted)
        self.models.submit_imu(output, windows.select(rows), context[rows], self._as_read)
        return PendingTick(
            tick, frame, phone.valid | velocity_valid, rows, output, self._as_read)

    def predict(self, tick: PendingTick) -> TickPredictions:
        """Third part: wait for the motion and predict. Once per tick, in their order."""
        located, output = tick.located, self.models.await_motion(tick.output)
        estimate = located.estimate
        self._remember(located.batch.subjects, estimate, output)
        displacement = estimate.velocity[:, None] * self._horizon_s[:, None]
        if output is not None:
            usable = tick.framed & np.isfinite(output.future[:, 0, 0])
            displacement[usable] = rotate(output.future, tick.frame[:, None])[usable]
        return self._predictions(located, displacement)

    def synthesize(self, tick: PendingTick) -> TickImu | None:
        """Last part, after `predict`: wait for the synthesized IMU; None where there is none.

        Before it waits, the filter learns how phones are held.
        """
        self._filter.learn_fields()
        output = self.models.await_imu(tick.output)
        return None if output is None else self._imu.synthesize(tick, output)

    def prepare_next(self) -> None:
        """Draw the random numbers of the next tick, when all is published."""
        self._filter.prepare_next()

    def _motion_prior(
        self, subjects: tuple[str, ...], heading: FloatArray, valid: MaskArray,
    ) -> MotionPrior | None:
        """Combine present headings with the velocities that the model predicted last."""
        if not self._model_velocities:
            return None
        outputs = np.array(
            [self._model_velocities.get(name, NO_VELOCITY) for name in subjects], np.float32)
        velocity, std = outputs.reshape(-1, 2, 2).transpose(1, 0, 2)
        return MotionPrior(heading, valid & np.isfinite(velocity[:, 0]), velocity, std)

    def _remember(
        self, subjects: tuple[str, ...], estimate: Estimate, output: MotionOutput | None,
    ) -> None:
        self._compass_errors = {
            name: float(estimate.compass_error[row]) for row, name in enumerate(subjects)}
        self._model_velocities = {} if output is None else dict(zip(
            subjects, np.stack([output.velocity, output.velocity_std], axis=1), strict=True))

    def _as_read(self, windows: Windows) -> Windows:
        """Convert windows to those that models read: geometry, and the field turned.

        The field is that of an area whose x axis points to magnetic east.
        """
        imu, mask = windows.values['imu'], windows.masks['imu']
        values = {**windows.values, 'imu': rotate_magnetic_field(
            imu, mask, self._row_s, self._area.magnetic_yaw)}
        return replace(windows, values=values)

    def _with_geometry(self, windows: Windows) -> Windows:
        """Add the geometry of several access points."""
        if (further := windows.values.get(FURTHER_FTM)) is None:
            return windows
        geometry = np.repeat(
            ap_geometry(self._area, further.shape[2] + 1)[None], len(further), axis=0)
        return replace(windows, values={**windows.values, AP_GEOMETRY: geometry})

    def _predictions(self, tick: LocatedTick, displacement: FloatArray) -> TickPredictions:
        estimate, known, positions = tick.estimate, tick.known, tick.positions
        ages = np.stack([estimate.age_s[name] for name in MODALITIES], axis=1)
        fresh = ages <= [SOURCE_MAX_AGE_S[name] for name in MODALITIES]
        return TickPredictions(
            stamp_ns=positions.stamp_ns,
            subjects=positions.subjects,
            sources=tuple(_sources(fresh[row]) for row in known),
            position=positions.position,
            covariance=positions.covariance,
            velocity=estimate.velocity[known],
            trajectory=(estimate.position[:, None] + displacement)[known],
            trajectory_stamps_ns=positions.stamp_ns + self._horizon_ns,
            imu_stamps_ns=self._imu.stamps_ns(positions.stamp_ns))


def _sources(fresh: MaskArray) -> str:
    return '+'.join(
        name for name, is_fresh in zip(MODALITIES, fresh, strict=True) if is_fresh) or 'memory'

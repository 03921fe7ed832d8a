"""One area's twin: a synced batch in, predictions of all its subjects out."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.geometry.compass import estimate_heading, rotate, rotate_magnetic_field
from utt_ros.motion.features import heading_frame, make_context
from utt_ros.motion.gait import INERTIAL_CHANNELS, gait_features
from utt_ros.motion.gait_synthesis import GaitSynthesizer
from utt_ros.motion.velocity import VelocityTracker
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.window_buffer import History
from utt_ros.twin.onnx_model import ModelOutput, OnnxModel
from utt_ros.twin.particle_filter import SENSORS, Belief, Estimate, Pace
from utt_ros.twin.settings import BeliefSettings
from utt_ros.types import FloatArray, Indices, MaskArray, Stamps, SyncedBatch, Windows

FRESH_S = {'camera': 0.5, 'ftm': 2.0, 'imu': 0.5}  # younger than that, a sensor counts as there
UNSAID = np.full((2, 2), np.nan, np.float32)  # of somebody whom the model saw for the first time
LAG_S = 0.02  # of the IMU behind its tick, as the synchronizer's `lag`


@dataclass(frozen=True, slots=True)
class Places:
    """Where the S subjects of a tick are that the twin knows something of; area frame."""

    stamp_ns: int
    subjects: tuple[str, ...]  # S
    position: FloatArray  # (S, 2) [m]
    covariance: FloatArray  # (S, 2, 2) [m^2]


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a twin says at one tick of the S subjects it knows something of; area frame."""

    stamp_ns: int
    subjects: tuple[str, ...]  # S
    sources: tuple[str, ...]  # S, such as 'camera+ftm+imu'; 'memory' when nothing is fresh
    position: FloatArray  # (S, 2) [m]
    covariance: FloatArray  # (S, 2, 2) [m^2]
    velocity: FloatArray  # (S, 2) [m/s]
    trajectory: FloatArray  # (S, H, 2) [m] at the next H ticks
    trajectory_stamps_ns: Stamps  # (H,)
    imu: FloatArray | None  # (S, C, 9) synthesized rows of this tick; None without a model
    imu_stamps_ns: Stamps  # (C,)
    imu_mean: FloatArray | None = None  # (S, C, 9) as it was decoded: it does not swing


class TwinEngine:
    """Belief and model of one area. For one thread; `deploy` may be called from any.

    Model and belief take about as long, so they run at the same time: what the model says of the
    velocity at a tick carries the belief to the next one. Directions are those of the tick itself.
    """

    def __init__(
        self, area: AreaSettings, window: WindowSettings, belief: BeliefSettings | None = None,
        lag_s: float = LAG_S,
    ) -> None:
        self._area, self._window = area, window
        self._history = History(window.ticks, window.imu_rows, window.period)
        self._belief = Belief(area, belief)
        self._runtime: OnnxModel | None = None
        self._walkers = VelocityTracker(area)
        self._swings = GaitSynthesizer(window)
        self._turns: dict[str, float] = {}  # subject -> error of its compass [rad]
        self._said: dict[str, FloatArray] = {}  # subject -> (2, 2) velocity, its deviation
        self._pool = ThreadPoolExecutor(1, 'model')
        self._tick: _Tick
        self._epoch = -1
        seconds = window.period * np.arange(1, window.horizon + 1)
        self._seconds = seconds.astype(np.float32)
        self._ahead_ns = np.round(1e9 * seconds).astype(np.int64)
        self._row_s = window.period / window.imu_rows
        rows = np.arange(window.imu_rows)[::-1] * self._row_s
        self._behind_ns = np.round(1e9 * (lag_s + rows)).astype(np.int64)
        self.failures = 0  # ticks at which the model gave no usable answer
        self.failure = ''

    @property
    def refused(self) -> int:
        """Subjects times ticks that the belief had no room for."""
        return self._belief.refused

    @property
    def ready(self) -> bool:
        """Whether there is a model."""
        return self._runtime is not None

    def deploy(self, runtime: OnnxModel) -> None:
        """Use another model from the next tick on."""
        self._runtime = runtime

    def step(self, batch: SyncedBatch) -> Predictions:
        """Take in one tick. A model that fails is counted, and the belief goes on without it."""
        self.locate(batch)
        return self.predict()

    def locate(self, batch: SyncedBatch) -> Places:
        """First half of a step: what can be said while the model still runs."""
        self._history.push(batch)
        if batch.epoch != self._epoch:
            self._epoch, self._turns, self._said = batch.epoch, {}, {}
            self._walkers.reset()
            self._swings.reset()
        windows = self._history.windows()
        imu, mask = windows.values['imu'], windows.masks['imu']
        phone = estimate_heading(imu, mask, self._row_s, self._area.magnetic_yaw)
        course, course_valid = self._walkers.update(batch)
        turns = np.array([self._turns.get(name, 0.0) for name in batch.subjects], np.float32)
        frame = heading_frame(phone.heading + turns, phone.valid, course)
        context = make_context(
            phone.valid, course_valid, rotate(course, -frame[:, None]),
            gait_features(imu, mask, phone.turns, self._row_s))
        asked = self._ask(windows, context)
        estimate = self._belief.step(
            batch, self._pace(batch.subjects, phone.heading, phone.valid))
        known = np.flatnonzero(estimate.known)
        places = Places(batch.stamp_ns, tuple(batch.subjects[row] for row in known),
                        estimate.position[known], estimate.covariance[known])
        framed = phone.valid | course_valid
        self._tick = _Tick(batch, estimate, known, places, frame, framed, asked)
        return places

    def predict(self) -> Predictions:
        """Second half of a step: everything, when the model has answered. Once per tick."""
        tick = self._tick
        estimate, answer = tick.estimate, self._await(tick.asked)
        self._remember(tick.batch.subjects, estimate, answer)
        ahead = estimate.velocity[:, None] * self._seconds[:, None]
        if answer is not None:
            ahead[tick.framed] = rotate(answer.future, tick.frame[:, None])[tick.framed]
        return self._predict(tick, ahead, answer)

    def _ask(self, windows: Windows, context: FloatArray) -> 'Future[Answer] | None':
        """Let the model begin; it runs while the belief is worked out."""
        if self._runtime is None or not windows.subjects:
            return None
        turned = rotate_magnetic_field(
            windows.values['imu'], windows.masks['imu'], self._row_s, self._area.magnetic_yaw)
        windows = replace(windows, values={**windows.values, 'imu': turned})
        return self._pool.submit(self._runtime.prepare(windows, context))

    def _await(self, asked: 'Future[Answer] | None') -> ModelOutput | None:
        try:
            return None if asked is None else asked.result()
        except ModelError as err:
            self.failures += 1
            self.failure = str(err)
            return None

    def _pace(
        self, subjects: tuple[str, ...], heading: FloatArray, valid: MaskArray,
    ) -> Pace | None:
        """Where subjects head now, as fast as the model said at the last tick."""
        if not self._said:
            return None
        said = np.array([self._said.get(name, UNSAID) for name in subjects], np.float32)
        velocity, std = said.reshape(-1, 2, 2).transpose(1, 0, 2)
        return Pace(heading, valid & np.isfinite(velocity[:, 0]), velocity, std)

    def _remember(
        self, subjects: tuple[str, ...], estimate: Estimate, answer: ModelOutput | None,
    ) -> None:
        self._turns = {
            name: float(estimate.compass_error[row]) for row, name in enumerate(subjects)}
        self._said = {} if answer is None else dict(zip(
            subjects, np.stack([answer.velocity, answer.velocity_std], axis=1), strict=True))

    def _felt(
        self, tick: '_Tick', answer: ModelOutput | None,
    ) -> tuple[FloatArray, FloatArray] | tuple[None, None]:
        """Synthesized rows (S, C, 9) of a tick's places, and their means.

        With the field as it is where the area lies.
        """
        if answer is None:
            return None, None
        made = np.ones(answer.imu.shape[:2], bool)
        mean = rotate_magnetic_field(answer.imu, made, self._row_s, -self._area.magnetic_yaw)
        imu = mean.copy()
        imu[..., :INERTIAL_CHANNELS] += self._swings.synthesize(
            tick.batch.stamp_ns, tick.batch.subjects, answer.cadence, answer.swing)
        return imu[tick.known], mean[tick.known]

    def _predict(
        self, tick: '_Tick', ahead: FloatArray, answer: ModelOutput | None,
    ) -> Predictions:
        estimate, known, places = tick.estimate, tick.known, tick.places
        ages = np.stack([estimate.age_s[name] for name in SENSORS], axis=1)
        fresh = ages <= [FRESH_S[name] for name in SENSORS]
        imu, imu_mean = self._felt(tick, answer)
        return Predictions(
            stamp_ns=places.stamp_ns,
            subjects=places.subjects,
            sources=tuple(_sources(fresh[row]) for row in known),
            position=places.position,
            covariance=places.covariance,
            velocity=estimate.velocity[known],
            trajectory=(estimate.position[:, None] + ahead)[known],
            trajectory_stamps_ns=places.stamp_ns + self._ahead_ns,
            imu=imu,
            imu_stamps_ns=places.stamp_ns - self._behind_ns,
            imu_mean=imu_mean)


@dataclass(frozen=True, slots=True)
class _Tick:
    """A tick that is located and not yet predicted; S subjects take part in it."""

    batch: SyncedBatch
    estimate: Estimate
    known: Indices  # rows of the subjects in `places`
    places: Places
    frame: FloatArray  # (S,) direction of the heading frame [rad]
    framed: MaskArray  # (S,) whether there is one
    asked: 'Future[Answer] | None'


def _sources(fresh: MaskArray) -> str:
    return '+'.join(name for name, there in zip(SENSORS, fresh, strict=True) if there) or 'memory'

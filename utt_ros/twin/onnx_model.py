"""The area's model as a graph that ONNX Runtime runs: windows in, motion and IMU out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import onnxruntime

from utt_ros.errors import ModelError
from utt_ros.motion.features import CONTEXT
from utt_ros.motion.stride import HARMONICS, SWINGING
from utt_ros.settings import WindowSettings
from utt_ros.twin.graphs import open_session, run, split
from utt_ros.types import CHANNELS, FloatArray, MaskArray, Windows


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says of S subjects; motion in the heading frame, see docs/architecture.md."""

    velocity: FloatArray  # (S, 2) at the newest tick [m/s]
    velocity_std: FloatArray  # (S, 2)
    future: FloatArray  # (S, H, 2) displacement at each of the next H ticks [m]
    future_std: FloatArray  # (S, H, 2)
    imu: FloatArray  # (S, C, 9) rows of the newest tick, phone frame
    cadence: FloatArray  # (S,) of steps [Hz]
    swing: FloatArray  # (S, 6, HARMONICS + 1) RMS, see `geometry.stride` [m/s^2, rad/s]


class OnnxRuntime:
    """One graph on one thread. Raises ModelError when it is none, or not of this shape.

    Opening a session takes tens of milliseconds in which no other thread runs, so a model that
    differs from `like` in its weights alone shares its session: weights are inputs of it.
    """

    def __init__(
        self, payload: bytes, shape: WindowSettings, like: 'OnnxRuntime | None' = None,
    ) -> None:
        self._shape = shape
        self.skeleton, self._weights = split(payload, self._expected(0))
        shared = like is not None and like.skeleton == self.skeleton
        self.session: onnxruntime.InferenceSession = (
            like.session if like and shared else open_session(self.skeleton))
        self._wanted = self._check()
        self._binding = self.session.io_binding()
        for name, weight in self._weights.items():
            value = onnxruntime.OrtValue.ortvalue_from_numpy(weight)
            self._binding.bind_ortvalue_input(name, value)
        self.run(self._blank(1), np.zeros((1, len(CONTEXT)), np.float32))

    def run(self, windows: Windows, context: FloatArray) -> Answer:
        """Ask for all subjects at once; `context` is (S, C).

        Raises ModelError when the answer has another shape than asked for or is not finite.
        """
        return self.prepare(windows, context)()

    def prepare(self, windows: Windows, context: FloatArray) -> Callable[[], Answer]:
        """The same in two parts, the second of which leaves other threads alone.

        One question at a time: prepare the next when this one is answered.
        """
        for name, array in self._inputs(windows, context).items():
            if name in self._wanted:
                self._binding.bind_cpu_input(name, np.ascontiguousarray(array))
        for name in self._expected(1):
            self._binding.bind_output(name)
        return partial(self._answer, len(windows))

    def _answer(self, subjects: int) -> Answer:
        made = run(self.session, self._binding, self._expected(subjects))
        velocity, velocity_log_std, future, future_log_std, imu, cadence, log_swing = made.values()
        with np.errstate(over='ignore'):  # what is too large is told below
            velocity_std, future_std, swing = map(
                np.exp, (velocity_log_std, future_log_std, log_swing))
        for name, values in (('velocity_log_std', velocity_std), ('future_log_std', future_std),
                             ('swing_log_rms', swing)):
            if not np.isfinite(values).all():
                raise ModelError(f'{name} is too large')
        return Answer(velocity, velocity_std, future, future_std, imu, cadence, swing)

    def _inputs(
        self, windows: Windows, context: FloatArray,
    ) -> Mapping[str, FloatArray | MaskArray]:
        masks = {f'{name}_mask': mask for name, mask in windows.masks.items()}
        return {**windows.values, **masks, 'context': context}

    def _expected(self, subjects: int) -> dict[str, tuple[int, ...]]:
        """Outputs and their shapes."""
        pair, ahead = (subjects, 2), (subjects, self._shape.horizon, 2)
        imu = (subjects, self._shape.imu_rows, len(CHANNELS['imu']))
        return {'velocity': pair, 'velocity_log_std': pair, 'future': ahead,
                'future_log_std': ahead, 'synthesized_imu': imu, 'cadence': (subjects,),
                'swing_log_rms': (subjects, SWINGING, HARMONICS + 1)}

    def _check(self) -> set[str]:
        """The inputs that the graph wants beside its weights. Raises ModelError."""
        wanted = {item.name for item in self.session.get_inputs()} - set(self._weights)
        known = set(self._inputs(self._blank(0), np.zeros((0, len(CONTEXT)), np.float32)))
        if wanted - known:
            raise ModelError(f'the graph asks for {", ".join(sorted(wanted - known))}')
        return wanted

    def _blank(self, subjects: int) -> Windows:
        """Windows in which nothing was measured."""
        values: dict[str, FloatArray] = {}
        masks: dict[str, MaskArray] = {}
        for name, channels in CHANNELS.items():
            rows = self._shape.ticks * (self._shape.imu_rows if name == 'imu' else 1)
            values[name] = np.zeros((subjects, rows, len(channels)), np.float32)
            masks[name] = np.zeros((subjects, rows), bool)
        return Windows(np.zeros(subjects, np.int64), ('',) * subjects, values, masks)

"""The area's model as a graph that ONNX Runtime runs: windows in, motion and IMU out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import onnx
import onnxruntime

from utt_ros.errors import ModelError
from utt_ros.records import CHANNELS, FloatArray, MaskArray, Windows
from utt_ros.settings import WindowSettings

CONTEXT = 4  # heading_valid, prior velocity in the heading frame x, y [m/s], prior_valid


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says of S subjects; motion in the heading frame, see docs/architecture.md."""

    velocity: FloatArray  # (S, 2) at the newest tick [m/s]
    velocity_std: FloatArray  # (S, 2)
    future: FloatArray  # (S, H, 2) displacement at each of the next H ticks [m]
    future_std: FloatArray  # (S, H, 2)
    imu: FloatArray  # (S, C, 9) rows of the newest tick, phone frame


class OnnxRuntime:
    """One graph on one thread. Raises ModelError when it is none, or not of this shape.

    Opening a session takes tens of milliseconds in which no other thread runs, so a model that
    differs from `like` in its weights alone shares its session: weights are inputs of it.
    """

    def __init__(
        self, payload: bytes, shape: WindowSettings, like: 'OnnxRuntime | None' = None,
    ) -> None:
        self._shape = shape
        self.skeleton, self._weights = _split(payload)
        shared = like is not None and like.skeleton == self.skeleton
        self.session: onnxruntime.InferenceSession = (
            like.session if like and shared else _open(self.skeleton))
        self._wanted = self._check()
        self._binding = self.session.io_binding()
        for name, weight in self._weights.items():
            value = onnxruntime.OrtValue.ortvalue_from_numpy(weight)
            self._binding.bind_ortvalue_input(name, value)
        self.run(self._blank(1), np.zeros((1, CONTEXT), np.float32))

    def run(self, windows: Windows, context: FloatArray) -> Answer:
        """Ask for all subjects at once; `context` is (S, 4).

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
        try:
            self.session.run_with_iobinding(self._binding)
            outputs = self._binding.copy_outputs_to_cpu()
        except Exception as err:
            raise ModelError(f'the graph failed: {err}') from err
        named = dict(zip(self._expected(subjects).items(), outputs, strict=True))
        for (name, expected), array in named.items():
            if array.shape != expected:
                raise ModelError(f'{name} has shape {array.shape}: it must be {expected}')
            if not np.isfinite(array).all():
                raise ModelError(f'{name} is not finite')
        velocity, velocity_log_std, future, future_log_std, imu = outputs
        return Answer(
            velocity, np.exp(velocity_log_std), future, np.exp(future_log_std), imu)

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
                'future_log_std': ahead, 'synthesized_imu': imu}

    def _check(self) -> set[str]:
        """The inputs that the graph wants beside its weights."""
        wanted = {item.name for item in self.session.get_inputs()} - set(self._weights)
        given = {item.name for item in self.session.get_outputs()}
        known = set(self._inputs(self._blank(0), np.zeros((0, CONTEXT), np.float32)))
        for what, names in (('asks for', wanted - known),
                            ('does not give', set(self._expected(0)) - given)):
            if names:
                raise ModelError(f'the graph {what} {", ".join(sorted(names))}')
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


def _split(payload: bytes) -> tuple[bytes, dict[str, FloatArray]]:
    """A graph whose float32 weights are inputs, and the weights. Raises ModelError."""
    try:
        model = onnx.load_from_string(payload)
        found = {item.name: item for item in model.graph.initializer
                 if item.data_type == onnx.TensorProto.FLOAT}
        weights = {name: onnx.numpy_helper.to_array(item) for name, item in found.items()}
    except Exception as err:  # protobuf has no common base for what broken bytes raise
        raise ModelError(f'not a graph in ONNX: {err}') from err
    for name, item in found.items():
        model.graph.initializer.remove(item)
        model.graph.input.append(onnx.helper.make_tensor_value_info(
            name, onnx.TensorProto.FLOAT, item.dims))
    return model.SerializeToString(deterministic=True), weights


def _open(skeleton: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            skeleton, options, providers=['CPUExecutionProvider'])
    except Exception as err:  # the library has no common base for what a broken graph raises
        raise ModelError(f'not a graph that ONNX Runtime can run: {err}') from err

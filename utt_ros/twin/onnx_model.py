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

"""ONNX graphs of a model: weights bound as inputs, sessions on one thread, outputs checked."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime

from utt_ros.errors import ModelError
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import (
    GAIT_OUTPUTS,
    MOTION_OUTPUTS,
    SYNTHESIZED_IMU,
    TRANSFERRED_IMU,
    input_shapes,
    output_shapes,
)
from utt_ros.twin.graph_schema import check_graph, check_weight, read_graph
from utt_ros.types import FloatArray, Indices, MaskArray, Windows

Inputs = Mapping[str, FloatArray | MaskArray]
LIVE_PARTS = (MOTION_OUTPUTS, (TRANSFERRED_IMU, *GAIT_OUTPUTS),
              (SYNTHESIZED_IMU, *GAIT_OUTPUTS))  # outputs of the graphs of a model
SUBGRAPHS = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)  # types of attributes
MAX_BATCH = 32  # windows in one evaluation; more are evaluated in parts


@dataclass(frozen=True, slots=True)
class MotionOutput:
    """Motion of S subjects in the heading frame, see docs/architecture.md."""

    velocity: FloatArray  # (S, 2) at the newest tick [m/s]
    velocity_std: FloatArray  # (S, 2)
    future: FloatArray  # (S, H, 2) displacement at each of the next H ticks [m]
    future_std: FloatArray  # (S, H, 2)


@dataclass(frozen=True, slots=True)
class ImuOutput:
    """Synthesized IMU of S subjects."""

    imu: FloatArray  # (S, C, 9) rows of the newest tick, phone frame
    cadence: FloatArray  # (S,) of steps [Hz]
    swing: FloatArray  # (S, 6, HARMONICS + 1) RMS, see `motion.gait` [m/s^2, rad/s]


class OnnxModel:
    """Live model of an area: windows in, motion and IMU out. Not for several threads.

    Motion, the IMU of subjects with a box or a range in their windows, and that of all others are
    graphs of their own, so the IMU is encoded for the last alone.

    Raises ModelError when the payload is not such a graph. Opening a session takes tens of
    milliseconds in which no other thread runs, so a model that differs from `like` in its weights
    alone shares its sessions.
    """

    def __init__(
        self, payload: bytes, window: WindowSettings, like: 'OnnxModel | None' = None, *,
        is_tried: bool = False,
    ) -> None:
        """`is_tried`: by a `GraphTrial`, so that its schema is not checked again."""
        formers = like.graphs if like else (None,) * len(LIVE_PARTS)
        self.graphs: tuple[OnnxGraph, ...] = tuple(
            OnnxGraph(payload, window, outputs, former, is_tried=is_tried)
            for outputs, former in zip(LIVE_PARTS, formers, strict=True))
        self._motion, self._transfer, self._alone = self.graphs
        _motion_output(self._motion.run(1, {}))
        for graph in (self._transfer, self._alone):
            _imu_output(list(graph.run(1, {}).values()))

    def run(self, windows: Windows, context: FloatArray) -> tuple[MotionOutput, ImuOutput]:
        """Evaluate all subjects of windows, as models read them; `context` is (S, C).

        Raises ModelError when an output has a wrong shape or is not finite.
        """
        motion, imu = self.prepare_motion(context), self.prepare_imu(windows, context)
        return motion(), imu()

    def prepare_motion(self, context: FloatArray) -> Callable[[], MotionOutput]:
        """Bind the `context` (S, C) and return the evaluation, which may run in another thread.

        It must have ended before the next call. It raises ModelError when an output has a wrong
        shape or is not finite.
        """
        work = self._motion.prepare(len(context), {'context': context})
        return lambda: _motion_output(work())

    def prepare_imu(
        self, windows: Windows, context: FloatArray,
        as_read: Callable[[Windows], Windows] | None = None,
    ) -> Callable[[], ImuOutput]:
        """Bind the inputs and return the evaluation, as `prepare_motion` does.

        `as_read` converts the IMU of windows to that which models read, unless it is that: it is
        called for the windows without another source alone.
        """
        sources = [mask.reshape(len(mask), -1).any(1) for name, mask in windows.masks.items()
                   if name != 'imu' and f'{name}_mask' in self._transfer.inputs]
        is_transferred = np.logical_or.reduce(sources) if sources else np.zeros(len(windows), bool)
        parts = []
        for graph, chosen in ((self._transfer, is_transferred), (self._alone, ~is_transferred)):
            rows = np.flatnonzero(chosen)
            if rows.size:
                part = windows.select(rows)
                part = as_read(part) if as_read and graph is self._alone else part
                parts.append((rows, graph.prepare(len(rows), _inputs(part, context[rows]))))
        return lambda: _imu_output(_join(parts))

    def stop(self) -> None:
        """End an evaluation in another thread after its operator; further ones fail."""
        for graph in self.graphs:
            graph.stop()


class OnnxGraph:
    """The part of a graph that gives some outputs, with its weights bound as inputs.

    A graph that differs from `like` in its weights alone shares its session. Raises ModelError for
    a payload that does not obey the schema of `check_graph`.
    """

    def __init__(
        self, payload: bytes, window: WindowSettings, outputs: Sequence[str],
        like: 'OnnxGraph | None' = None, *, is_tried: bool = False,
    ) -> None:
        """`is_tried`: by a `GraphTrial`, so that its schema is not checked again."""
        shapes = output_shapes(window)
        self._input_shapes = input_shapes(window)
        self._output_shapes = {name: shapes[name] for name in outputs}
        self.skeleton, self._weights = split_weights(read_graph(payload), outputs)
        if like is not None and like.skeleton == self.skeleton:  # which obeys the schema
            self.session: onnxruntime.InferenceSession = like.session
        else:
            if not is_tried:
                check_graph(read_graph(payload), window, outputs)
            self.session = open_session(self.skeleton)
        self.inputs = {item.name for item in self.session.get_inputs()} - set(self._weights)
        self._options = onnxruntime.RunOptions()
        self._binding = self.session.io_binding()
        for name, weight in self._weights.items():  # kept, since a binding does not keep them
            value = onnxruntime.OrtValue.ortvalue_from_numpy(weight)
            self._binding.bind_ortvalue_input(name, value)

    def prepare(self, count: int, inputs: Inputs) -> Callable[[], dict[str, FloatArray]]:
        """Return the evaluation of N windows, with inputs bound where one call evaluates them."""
        if not 0 < count <= MAX_BATCH:
            return lambda: self.run(count, inputs)
        self.bind(count, inputs)
        return lambda: self.evaluate(count)

    def run(self, count: int, inputs: Inputs) -> dict[str, FloatArray]:
        """Return the outputs for N windows; an input that is not given is masked out.

        Raises ModelError when an output has a wrong shape or is not finite.
        """
        if not count:
            return {name: np.zeros((0, *shape), np.float32)
                    for name, shape in self._output_shapes.items()}
        parts = []
        for begin in range(0, count, MAX_BATCH):
            part = slice(begin, begin + MAX_BATCH)
            self.bind(min(MAX_BATCH, count - begin),
                      {name: array[part] for name, array in inputs.items()})
            parts.append(self.evaluate(min(MAX_BATCH, count - begin)))
        return parts[0] if len(parts) == 1 else {
            name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def bind(self, count: int, inputs: Inputs) -> None:
        """Bind the inputs of the next evaluation, of N windows."""
        for name in self.inputs:
            if (array := inputs.get(name)) is None:
                array = np.zeros((count, *self._input_shapes[name]), np.float32)
            kind = bool if name.endswith('_mask') else np.float32
            self._binding.bind_cpu_input(name, np.ascontiguousarray(array, kind))
        for name in self._output_shapes:
            self._binding.bind_output(name)

    def stop(self) -> None:
        """End an evaluation in another thread after its operator; further ones fail."""
        self._options.terminate = True

    def evaluate(self, count: int) -> dict[str, FloatArray]:
        """Return the outputs for the N windows that are bound; raises ModelError as `run`."""
        try:
            self.session.run_with_iobinding(self._binding, self._options)
            arrays = self._binding.copy_outputs_to_cpu()
        except Exception as err:  # the library has no common base for its errors
            raise ModelError(f'the graph failed: {err}') from err
        outputs = dict(zip(self._output_shapes, arrays, strict=True))
        for name, array in outputs.items():
            expected = (count, *self._output_shapes[name])
            if array.shape != expected:
                raise ModelError(f'{name} has shape {array.shape}: it must be {expected}')
            if not np.isfinite(array).all():
                raise ModelError(f'{name} is not finite')
        return outputs


def split_weights(
    model: onnx.ModelProto, outputs: Collection[str],
) -> tuple[bytes, dict[str, FloatArray]]:
    """Split a graph into the part that gives these outputs, and its float32 weights.

    The weights are inputs of that part, which need not obey the schema. Raises ModelError.
    """
    _prune(model.graph, outputs)
    initializers = {item.name: item for item in model.graph.initializer
                    if item.data_type == onnx.TensorProto.FLOAT}
    for item in initializers.values():
        check_weight(item)
    weights = {name: onnx.numpy_helper.to_array(item) for name, item in initializers.items()}
    for name, item in initializers.items():
        model.graph.initializer.remove(item)
        model.graph.input.append(onnx.helper.make_tensor_value_info(
            name, onnx.TensorProto.FLOAT, item.dims))
    return model.SerializeToString(deterministic=True), weights


def open_session(skeleton: bytes) -> onnxruntime.InferenceSession:
    """Open a session on one thread; raises ModelError when the graph cannot be run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            skeleton, options, providers=['CPUExecutionProvider'])
    except Exception as err:  # the library has no common base for what a broken graph raises
        raise ModelError(f'not a graph that ONNX Runtime can run: {err}') from err


def _inputs(windows: Windows, context: FloatArray) -> dict[str, FloatArray | MaskArray]:
    masks = {f'{name}_mask': mask for name, mask in windows.masks.items()}
    return {**windows.values, **masks, 'context': context}


def _join(
    parts: Sequence[tuple[Indices, Callable[[], dict[str, FloatArray]]]],
) -> list[FloatArray]:
    """Evaluate parts of the subjects, and return the outputs of all in their order."""
    rows = np.concatenate([rows for rows, _ in parts])
    arrays = zip(*(work().values() for _, work in parts), strict=True)
    joined = [np.concatenate(items) if len(items) > 1 else items[0] for items in arrays]
    return joined if len(parts) == 1 else [array[np.argsort(rows)] for array in joined]


def _motion_output(outputs: Mapping[str, FloatArray]) -> MotionOutput:
    """Read MOTION_OUTPUTS; raises ModelError for an overflow."""
    velocity, velocity_log_std, future, future_log_std = outputs.values()
    return MotionOutput(
        velocity, _exp('velocity_log_std', velocity_log_std),
        future, _exp('future_log_std', future_log_std))


def _imu_output(outputs: Sequence[FloatArray]) -> ImuOutput:
    """Read an IMU and GAIT_OUTPUTS; raises ModelError for an overflow."""
    imu, cadence, swing_log_rms = outputs
    return ImuOutput(imu, cadence, _exp('swing_log_rms', swing_log_rms))


def _exp(name: str, values: FloatArray) -> FloatArray:
    with np.errstate(over='ignore'):  # an overflow is an error below
        exponential = np.exp(values)
    if not np.isfinite(exponential).all():
        raise ModelError(f'{name} is too large')
    return exponential


def _prune(graph: onnx.GraphProto, outputs: Collection[str]) -> None:
    """Remove all other outputs and the nodes, inputs and weights that only they need."""
    needed = {item.name for item in graph.output if item.name in outputs}
    kept = []
    for node in reversed(graph.node):
        if not needed.isdisjoint(node.output):
            if any(part.type in SUBGRAPHS for part in node.attribute):
                return  # it may need values that the node does not list
            needed.update(node.input)
            kept.append(node)
    for items, wanted in (
            (graph.output, [item for item in graph.output if item.name in outputs]),
            (graph.node, kept[::-1]),
            (graph.input, [item for item in graph.input if item.name in needed]),
            (graph.initializer, [item for item in graph.initializer if item.name in needed])):
        del items[:]
        items.extend(wanted)

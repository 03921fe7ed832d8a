"""Graphs in ONNX: what of them is needed, their weights apart, sessions on one thread."""

from collections.abc import Collection

import numpy as np
import onnx
import onnxruntime

from utt_ros.errors import ModelError
from utt_ros.types import FloatArray


def split(payload: bytes, outputs: Collection[str]) -> tuple[bytes, dict[str, FloatArray]]:
    """The part of a graph that gives these outputs, float32 weights made inputs; the weights.

    Raises ModelError.
    """
    try:
        model = onnx.load_from_string(payload)
        size, given = len(model.graph.node), {item.name for item in model.graph.output}
        _prune(model.graph, outputs)
        found = {item.name: item for item in model.graph.initializer
                 if item.data_type == onnx.TensorProto.FLOAT}
        weights = {name: onnx.numpy_helper.to_array(item) for name, item in found.items()}
    except Exception as err:  # protobuf has no common base for what broken bytes raise
        raise ModelError(f'not a graph in ONNX: {err}') from err
    if not size:
        raise ModelError('not a graph in ONNX: it has no node')
    lacking = sorted(set(outputs) - given)
    if lacking:
        raise ModelError(f'the graph does not give {", ".join(lacking)}')
    for name, item in found.items():
        model.graph.initializer.remove(item)
        model.graph.input.append(onnx.helper.make_tensor_value_info(
            name, onnx.TensorProto.FLOAT, item.dims))
    return model.SerializeToString(deterministic=True), weights


def open_session(skeleton: bytes) -> onnxruntime.InferenceSession:
    """A session on one thread; raises ModelError when the graph cannot be run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            skeleton, options, providers=['CPUExecutionProvider'])
    except Exception as err:  # the library has no common base for what a broken graph raises
        raise ModelError(f'not a graph that ONNX Runtime can run: {err}') from err


def run(
    session: onnxruntime.InferenceSession, binding: onnxruntime.IOBinding,
    expected: dict[str, tuple[int, ...]],
) -> dict[str, FloatArray]:
    """The bound outputs, which are `expected` in that order, with their shapes.

    Raises ModelError when one has another shape or is not finite.
    """
    try:
        session.run_with_iobinding(binding)
        arrays = binding.copy_outputs_to_cpu()
    except Exception as err:
        raise ModelError(f'the graph failed: {err}') from err
    made = dict(zip(expected, arrays, strict=True))
    for name, array in made.items():
        if array.shape != expected[name]:
            raise ModelError(f'{name} has shape {array.shape}: it must be {expected[name]}')
        if not np.isfinite(array).all():
            raise ModelError(f'{name} is not finite')
    return made


def _prune(graph: onnx.GraphProto, outputs: Collection[str]) -> None:
    """Leave out the outputs that nobody wants, and what only they need."""
    if any(part.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
           for node in graph.node for part in node.attribute):
        return  # a graph within may need what its node does not name
    needed = {item.name for item in graph.output if item.name in outputs}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    for items, wanted in (
            (graph.output, [item for item in graph.output if item.name in outputs]),
            (graph.node, kept[::-1]),
            (graph.initializer, [item for item in graph.initializer if item.name in needed])):
        del items[:]
        items.extend(wanted)

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

"""Schema of graphs that a twin may run: operators, tensors, inputs and outputs; no code runs here.

Sizes of results depend on the sizes of inputs only, never on their values, and there is no loop.
So a trial at a number of subjects shows memory and computing time for that number, whatever is
measured later.
"""

from collections.abc import Collection, Iterable
from math import prod

import numpy as np
import onnx

from utt_ros.errors import ModelError
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import AP_DIMENSIONS, GraphShapes, input_shapes, output_shapes

OPSET = 18  # of exported graphs
IR_VERSIONS = (7, 10)
MAX_GRAPH_BYTES = 64 * 2**20
MAX_NODES = 20_000  # exported graphs have 500 to 2,000, and 100 more per further layer
MAX_NODE_ITEMS = 256  # inputs, outputs or attributes of a node; numbers in an attribute
MAX_RANK = 8
SHOWN_CHARACTERS = 64  # of a name in an error

_Kind = onnx.TensorProto
ITEM_BYTES = {_Kind.FLOAT: 4, _Kind.DOUBLE: 8, _Kind.INT32: 4, _Kind.INT64: 8, _Kind.BOOL: 1}
TYPED_FIELDS = {_Kind.FLOAT: 'float_data', _Kind.DOUBLE: 'double_data', _Kind.INT32: 'int32_data',
                _Kind.INT64: 'int64_data', _Kind.BOOL: 'int32_data'}
NUMERIC_ATTRIBUTES = {
    getattr(onnx.AttributeProto, kind) for kind in ('FLOAT', 'INT', 'FLOATS', 'INTS', 'TENSOR')}
TEXT_ATTRIBUTES = {('Pad', 'mode'), ('Gelu', 'approximate')}
# Operators by the positions of inputs that decide the shape of the result.
SHAPING_INPUTS: dict[str, tuple[int, ...]] = {
    'ConstantOfShape': (0,), 'CumSum': (1,), 'Expand': (1,), 'Pad': (1, 3), 'ReduceMax': (1,),
    'ReduceMean': (1,), 'ReduceMin': (1,), 'ReduceProd': (1,), 'ReduceSum': (1,), 'Reshape': (1,),
    'Slice': (1, 2, 3, 4), 'Split': (1,), 'Squeeze': (1,), 'Tile': (1,), 'Unsqueeze': (1,)}
# What the exporter writes, and element-wise and linear operators that further networks may need.
OPERATORS = frozenset(SHAPING_INPUTS) | frozenset((
    'Abs', 'Add', 'And', 'Cast', 'Clip', 'Concat', 'Constant', 'Conv', 'Cos', 'Div', 'Elu',
    'Equal', 'Erf', 'Exp', 'Flatten', 'Floor', 'Gather', 'Gelu', 'Gemm', 'Greater',
    'GreaterOrEqual', 'Identity', 'LayerNormalization', 'LeakyRelu', 'Less', 'LessOrEqual', 'Log',
    'MatMul', 'Max', 'Min', 'Mul', 'Neg', 'Not', 'Or', 'Pow', 'Reciprocal', 'Relu', 'Round',
    'Shape', 'Sigmoid', 'Sign', 'Sin', 'Softmax', 'Softplus', 'Sqrt', 'Sub', 'Tanh', 'Transpose',
    'Where'))


def read_graph(payload: bytes) -> onnx.ModelProto:
    """Parse bytes, and nothing more; raises ModelError.

    That takes up to eighty times their size in memory.
    """
    if len(payload) > MAX_GRAPH_BYTES:
        raise ModelError(f'the graph has {len(payload)} bytes: at most {MAX_GRAPH_BYTES}')
    model = onnx.ModelProto()
    try:
        model.ParseFromString(payload)
    except Exception as err:  # protobuf has no common base for what broken bytes raise
        raise ModelError(f'not a graph in ONNX: {err}') from err
    model.DiscardUnknownFields()
    return model


def check_graph(
    model: onnx.ModelProto, window: WindowSettings, outputs: Collection[str],
) -> None:
    """Raise ModelError for a graph that does not obey the schema or does not give `outputs`."""
    _check_sizes(model.graph)
    _check_versions(model)
    _check_inputs(model.graph, input_shapes(window))
    _check_outputs(model.graph, output_shapes(window), outputs)
    for tensor in model.graph.initializer:
        check_weight(tensor)
    for node in model.graph.node:
        _check_node(node)
    _check_flow(model.graph)


def _check_versions(model: onnx.ModelProto) -> None:
    low, high = IR_VERSIONS
    if not low <= model.ir_version <= high:
        raise ModelError(f'not a graph in ONNX that is supported: its format has version '
                         f'{model.ir_version}, supported are {low} to {high}')
    opsets = [(item.domain, item.version) for item in model.opset_import[:MAX_NODE_ITEMS]]
    if opsets not in ([('', OPSET)], [('ai.onnx', OPSET)]):
        raise ModelError(f'the graph imports the operator sets {opsets!r:.200}: '
                         f'it must be version {OPSET} of the default domain alone')
    if model.functions or model.training_info:
        raise ModelError('the graph has functions or training steps: operators alone are allowed')


def _check_sizes(graph: onnx.GraphProto) -> None:
    if not graph.node:
        raise ModelError('not a graph in ONNX: it has no node')
    for name in ('node', 'initializer'):
        count = len(getattr(graph, name))
        if count > MAX_NODES:
            raise ModelError(f'the graph has {count} of {name}: at most {MAX_NODES}')
    for name in ('sparse_initializer', 'quantization_annotation', 'value_info'):
        if getattr(graph, name):
            raise ModelError(f'the graph has a {name}: it must have none')


def _check_inputs(graph: onnx.GraphProto, shapes: GraphShapes) -> None:
    unknown = sorted({_shown(item.name) for item in graph.input if item.name not in shapes})
    if unknown:
        raise ModelError(f'the graph has unknown inputs: {", ".join(unknown[:MAX_RANK])}')
    for item in graph.input:
        kind = _Kind.BOOL if item.name.endswith('_mask') else _Kind.FLOAT
        _check_value(item, kind, shapes[item.name], known=True)


def _check_outputs(
    graph: onnx.GraphProto, shapes: GraphShapes, required: Collection[str],
) -> None:
    lacking = sorted(set(required) - {item.name for item in graph.output})
    if lacking:
        raise ModelError(f'the graph lacks the outputs {", ".join(lacking)}')
    for item in graph.output:
        if item.name not in shapes:
            raise ModelError(f'the graph has the unknown output {_shown(item.name)}')
        _check_value(item, _Kind.FLOAT, shapes[item.name], known=False)


def _check_value(
    value: onnx.ValueInfoProto, kind: int, shape: tuple[int, ...], *, known: bool,
) -> None:
    """Check the declaration of an input or output; `known`: every dimension must be declared."""
    name, tensor = value.name, value.type.tensor_type
    if value.type.WhichOneof('value') != 'tensor_type' or tensor.elem_type != kind:
        raise ModelError(f'{name} is declared as another type than '
                         f'{_Kind.DataType.Name(kind)}')
    if not tensor.HasField('shape') and not known:
        return
    declared = [item.dim_value if item.HasField('dim_value') else item.dim_param[:16] or '?'
                for item in tensor.shape.dim[:MAX_RANK + 1]]
    free = {0, AP_DIMENSIONS.get(name, -1) + 1}
    expected = tuple('SA'[position > 0] if position in free else size
                     for position, size in enumerate((0, *shape)))
    fits = len(declared) == len(expected) and all(
        isinstance(size, str) if position in free
        else size == wanted or (isinstance(size, str) and not known)
        for position, (size, wanted) in enumerate(zip(declared, expected, strict=True)))
    if not fits:
        raise ModelError(f'{name} has shape {tuple(declared)}: it must be {expected}')


def _check_node(node: onnx.NodeProto) -> None:
    where = f'node {_shown(node.op_type)}'
    if node.domain not in ('', 'ai.onnx') or node.op_type not in OPERATORS:
        raise ModelError(f'the graph has a {where} of domain {_shown(node.domain)}: '
                         'that operator is not allowed')
    for items in (node.input, node.output, node.attribute):
        if len(items) > MAX_NODE_ITEMS:
            raise ModelError(f'{where} has {len(items)} inputs, outputs or attributes: '
                             f'at most {MAX_NODE_ITEMS}')
    for item in node.attribute:
        text = item.type == onnx.AttributeProto.STRING and (
            node.op_type, item.name) in TEXT_ATTRIBUTES
        if item.ref_attr_name or not (text or item.type in NUMERIC_ATTRIBUTES):
            raise ModelError(f'{where} has the attribute {_shown(item.name)} of a kind that is '
                             'not allowed')
        if len(item.ints) + len(item.floats) + len(item.s) > MAX_NODE_ITEMS:
            raise ModelError(f'{where} has a longer attribute {_shown(item.name)} '
                             f'than {MAX_NODE_ITEMS}')
        if item.type == onnx.AttributeProto.TENSOR:
            _check_tensor(item.t, where)
        if node.op_type == 'Cast' and item.name == 'to' and item.i not in ITEM_BYTES:
            raise ModelError(f'{where} converts to type {item.i}: that type is not allowed')


def check_weight(tensor: onnx.TensorProto) -> None:
    """Raise ModelError for an initializer that is elsewhere, wrong in size or not finite."""
    where = f'initializer {_shown(tensor.name)}'
    _check_tensor(tensor, where)
    if tensor.data_type == _Kind.FLOAT and not np.isfinite(
            onnx.numpy_helper.to_array(tensor)).all():
        raise ModelError(f'{where} is not finite')


def _check_tensor(tensor: onnx.TensorProto, where: str) -> None:
    """Raise ModelError for content that is elsewhere, or of another size than declared."""
    size = ITEM_BYTES.get(tensor.data_type)
    if size is None:
        raise ModelError(f'{where} has type {tensor.data_type}: that type is not allowed')
    if tensor.data_location != _Kind.DEFAULT or tensor.external_data or tensor.HasField('segment'):
        raise ModelError(f'{where} has its content in another place: it must be in the graph')
    dims = list(tensor.dims[:MAX_RANK + 1])
    if len(dims) > MAX_RANK or min(dims, default=0) < 0:
        raise ModelError(f'{where} has shape {dims}: at most {MAX_RANK} dimensions, none negative')
    field = TYPED_FIELDS[tensor.data_type]
    if tensor.HasField('raw_data'):
        field, given = 'raw_data', len(tensor.raw_data) / size
    else:
        given = len(getattr(tensor, field))
    surplus = [item.name for item, _ in tensor.ListFields()
               if item.name.endswith('_data') and item.name != field]
    if given != prod(dims) or surplus:
        raise ModelError(f'{where} has shape {dims}, and values for {given:g} numbers')


def _check_flow(graph: onnx.GraphProto) -> None:
    """Raise ModelError unless values are defined once, before their use, and shapes by shapes.

    Float weights count as values: they may differ in the next model of the same form.
    """
    known: set[str] = set()
    _define(known, (item.name for item in graph.input))
    _define(known, (item.name for item in graph.initializer))
    measured = {item.name for item in graph.input} | {
        item.name for item in graph.initializer if item.data_type == _Kind.FLOAT}
    for node in graph.node:
        used = [name for name in node.input if name]
        for name in used:
            if name not in known:
                raise ModelError(f'node {node.op_type} reads {_shown(name)}, which is not defined '
                                 'before it')
        for position in SHAPING_INPUTS.get(node.op_type, ()):
            if position < len(node.input) and node.input[position] in measured:
                raise ModelError(f'the shape of a result of node {node.op_type} depends on '
                                 'values: it may depend on shapes only')
        _define(known, (name for name in node.output if name))
        if node.op_type != 'Shape' and not measured.isdisjoint(used):
            measured.update(node.output)
    for item in graph.output:
        if item.name not in known:
            raise ModelError(f'the output {_shown(item.name)} is not computed')


def _define(known: set[str], names: Iterable[str]) -> None:
    for name in names:
        if not name or name in known:
            raise ModelError(f'the graph defines {_shown(name)} twice, or without a name')
        known.add(name)


def _shown(name: str) -> str:
    return repr(name[:SHOWN_CHARACTERS])

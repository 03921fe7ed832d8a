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

"""Edits that turn a genuine graph of a twin into a hostile one."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper
from onnx.numpy_helper import from_array

GraphEdit = Callable[[ModelProto], None]
VICTIM = 'velocity'  # output that an attack computes


def nested_graphs(levels: int) -> bytes:
    """Return graphs in attributes of nodes of graphs: fields 1, 5 and 6 of their messages."""
    content = b''
    for tag in (b'\x3a', *(b'\x0a', b'\x2a', b'\x32') * levels)[::-1]:
        content = tag + _varint(len(content)) + content
    return content


def empty_nodes(count: int) -> bytes:
    """Return a graph of nodes without content, two bytes each."""
    content = b'\x0a\x00' * count
    return b'\x3a' + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes([*digits, number])


def disturb_output(model: ModelProto, *nodes: NodeProto, last: str = 'bomb') -> None:
    """Add nodes, the result `last` of which is reduced to 0 and added to the victim output."""
    for node in model.graph.node:
        node.output[:] = ['genuine' if name == VICTIM else name for name in node.output]
        node.input[:] = ['genuine' if name == VICTIM else name for name in node.input]
    model.graph.node.extend((
        *nodes, helper.make_node('ReduceMax', [last], ['most'], keepdims=0),
        constant_node('nought', np.zeros(1, np.float32)),
        helper.make_node('Mul', ['most', 'nought'], ['effect']),
        helper.make_node('Add', ['genuine', 'effect'], [VICTIM])))


def constant_node(name: str, value: object) -> NodeProto:
    return helper.make_node('Constant', [], [name], value=from_array(np.asarray(value)))


def add_nodes(*nodes: NodeProto, last: str = 'bomb') -> GraphEdit:
    return lambda model: disturb_output(model, *nodes, last=last)


def make_loop(trips: Sequence[NodeProto]) -> GraphEdit:
    """Return an edit that repeats an addition as often as `trips` computes."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node('Identity', ['go'], ['on']),
         helper.make_node('Add', ['carry', 'carry'], ['sum'])], 'body',
        [value('index', TensorProto.INT64, []), value('go', TensorProto.BOOL, []),
         value('carry', TensorProto.FLOAT, [1])],
        [value('on', TensorProto.BOOL, []), value('sum', TensorProto.FLOAT, [1])])
    return add_nodes(
        *trips, constant_node('yes', True), constant_node('first', np.zeros(1, np.float32)),
        helper.make_node('Loop', ['trips', 'yes', 'first'], ['bomb'], body=body))


def add_branch(model: ModelProto) -> None:
    value = helper.make_tensor_value_info('chosen', TensorProto.FLOAT, [1])
    body = helper.make_graph(
        [constant_node('chosen', np.zeros(1, np.float32))], 'body', [], [value])
    disturb_output(model, constant_node('yes', True), helper.make_node(
        'If', ['yes'], ['bomb'], then_branch=body, else_branch=body))


def add_function(model: ModelProto) -> None:
    model.functions.append(helper.make_function(
        'custom', 'Same', ['x'], ['y'], [helper.make_node('Identity', ['x'], ['y'])],
        [helper.make_opsetid('', 18)]))


def edit_weight(model: ModelProto, edit: Callable[[TensorProto], None]) -> None:
    """Edit a float weight that the victim output depends on."""
    tensor = from_array(np.zeros(2, np.float32), 'weight')
    edit(tensor)
    model.graph.initializer.append(tensor)
    disturb_output(model, last='weight')


def with_weight(edit: Callable[[TensorProto], None]) -> GraphEdit:
    return lambda model: edit_weight(model, edit)


def move_outside(location: str, kind: int = TensorProto.FLOAT) -> Callable[[TensorProto], None]:
    """Return an edit that moves the content of a tensor to a file."""
    def edit(tensor: TensorProto) -> None:
        tensor.ClearField('raw_data')
        tensor.data_type, tensor.data_location = kind, TensorProto.EXTERNAL
        tensor.external_data.add(key='location', value=location)
    return edit


def add_outside_constant(model: ModelProto) -> None:
    node = constant_node('bomb', np.zeros(2, np.float32))
    move_outside('secret.bin')(node.attribute[0].t)
    disturb_output(model, node)


def set_dims(*dims: int) -> Callable[[TensorProto], None]:
    def edit(tensor: TensorProto) -> None:
        tensor.dims[:] = dims
    return edit


def add_text(model: ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor('text', TensorProto.STRING, [1], [b'x']))
    disturb_output(model, helper.make_node('Cast', ['text'], ['bomb'], to=TensorProto.FLOAT))


def add_sparse_weight(model: ModelProto) -> None:
    model.graph.sparse_initializer.append(sparse_tensor())
    disturb_output(model, last='sparse')


def sparse_tensor() -> onnx.SparseTensorProto:
    return helper.make_sparse_tensor(
        from_array(np.ones(1, np.float32), 'sparse'), from_array(np.array([0]), 'indices'), [2])


def edit_graph(edit: Callable[[GraphProto], object]) -> GraphEdit:
    def apply(model: ModelProto) -> None:
        edit(model.graph)
    return apply


def set_versions(ir: int = 8, *opsets: tuple[str, int]) -> GraphEdit:
    def edit(model: ModelProto) -> None:
        model.ir_version = ir
        if opsets:
            del model.opset_import[:]
            model.opset_import.extend(helper.make_opsetid(*item) for item in opsets)
    return edit


def redeclare(name: str, kind: int, shape: Sequence[int | str]) -> GraphEdit:
    """Return an edit that declares an input or output differently."""
    def edit(model: ModelProto) -> None:
        for item in (*model.graph.input, *model.graph.output):
            if item.name == name:
                item.CopyFrom(helper.make_tensor_value_info(name, kind, shape))
    return edit


def rename_first(items: str, new: str) -> GraphEdit:
    def edit(model: ModelProto) -> None:
        getattr(model.graph, items)[0].name = new
    return edit


def add_reference(model: ModelProto) -> None:
    node = constant_node('bomb', np.zeros(1, np.float32))
    node.attribute.append(AttributeProto(
        name='axis', type=AttributeProto.INT, ref_attr_name='elsewhere'))
    disturb_output(model, node)


def add_many_nodes(model: ModelProto) -> None:
    disturb_output(model, *(helper.make_node('Identity', ['context'], [f'copy{number}'])
                      for number in range(25_000)), last='context')


def shift_output(name: str, value: float) -> GraphEdit:
    """Return an edit that adds a number to an output."""
    def edit(model: ModelProto) -> None:
        for node in model.graph.node:
            node.output[:] = ['genuine' if item == name else item for item in node.output]
            node.input[:] = ['genuine' if item == name else item for item in node.input]
        model.graph.node.extend((
            constant_node('surplus', np.float32(value)),
            helper.make_node('Add', ['genuine', 'surplus'], [name])))
    return edit

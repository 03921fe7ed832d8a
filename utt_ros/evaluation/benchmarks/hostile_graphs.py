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

"""Hostile graphs for a twin: what a genuine graph becomes in the hands of an attacker."""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array

from utt_ros.evaluation.benchmarks.graph_edits import (
    VICTIM,
    GraphEdit,
    add_branch,
    add_function,
    add_many_nodes,
    add_nodes,
    add_outside_constant,
    add_reference,
    add_sparse_weight,
    add_text,
    constant_node,
    edit_graph,
    empty_nodes,
    make_loop,
    move_outside,
    nested_graphs,
    redeclare,
    rename_first,
    set_dims,
    set_versions,
    shift_output,
    sparse_tensor,
    with_weight,
)

HUGE = 2**40


def hostile_graph(kind: str, genuine: bytes) -> bytes:
    """Return the graph of an attack on the receiver of `genuine`, a live graph."""
    if kind in RAW_ATTACKS:
        return RAW_ATTACKS[kind](genuine)
    model = onnx.load_from_string(genuine)
    edits = ATTACKS_BY_SCHEMA | ATTACKS_BY_COST | ATTACKS_BY_OUTPUT
    edits[kind](model)
    content: bytes = model.SerializeToString()
    return content


RAW_ATTACKS: dict[str, Callable[[bytes], bytes]] = {
    'nothing': lambda _: b'',
    'no graph': lambda _: b'no graph at all',
    'noise': lambda _: np.random.default_rng(0).bytes(10_000),
    'cut': lambda genuine: genuine[:len(genuine) // 2],
    'too large': lambda genuine: genuine + bytes(65 * 2**20),
    'deeply nested': lambda _: nested_graphs(5_000),
    'many empty nodes': lambda _: empty_nodes(2**16),
}


_COUNT = (  # of present rows of the IMU, as an integer
    helper.make_node('Cast', ['imu_mask'], ['ones'], to=TensorProto.INT64),
    helper.make_node('ReduceSum', ['ones'], ['present'], keepdims=0),
    constant_node('factor', np.array([HUGE])),
    helper.make_node('Mul', ['present', 'factor'], ['trips']))

ATTACKS_BY_SCHEMA: dict[str, GraphEdit] = {
    'endless loop': make_loop([constant_node('trips', np.array(2**60))]),
    'loop on a measurement': make_loop([
        *_COUNT[:2], constant_node('factor', np.array(HUGE)), _COUNT[3]]),
    'scan': add_nodes(helper.make_node(
        'Scan', ['context'], ['bomb'], num_scan_inputs=1, body=helper.make_graph(
            [], 'body', [], []))),
    'branch': add_branch,
    'function': add_function,
    'operator of a custom domain': add_nodes(
        helper.make_node('Inverse', ['context'], ['bomb'], domain='com.microsoft')),
    'operator of an unknown name': add_nodes(
        helper.make_node('Exfiltrate', ['context'], ['bomb'])),
    'operator with state': add_nodes(helper.make_node('RandomUniform', [], ['bomb'], shape=[2])),
    'size by a measurement': add_nodes(*_COUNT, helper.make_node(
        'ConstantOfShape', ['trips'], ['bomb'])),
    'size by a weight': add_nodes(
        constant_node('scale', np.array([1.0], np.float32)), *_COUNT[:1],
        helper.make_node('Cast', ['context'], ['whole'], to=TensorProto.INT64),
        helper.make_node('Expand', ['scale', 'whole'], ['bomb'])),
    'content in /etc/passwd': with_weight(move_outside('/etc/passwd')),
    'content in a file beside': with_weight(move_outside('secret.bin')),
    'content in a parent folder': with_weight(move_outside('../secret.bin')),
    'integers in a file': with_weight(move_outside('secret.bin', TensorProto.INT64)),
    'constant in a file': add_outside_constant,
    'sparse weight': add_sparse_weight,
    'sparse constant': add_nodes(
        helper.make_node('Constant', [], ['bomb'], sparse_value=sparse_tensor())),
    'text weight': add_text,
    'text constant': add_nodes(helper.make_node('Constant', [], ['bomb'], value_string='x')),
    'conversion to text': add_nodes(
        helper.make_node('Cast', ['context'], ['text'], to=TensorProto.STRING),
        helper.make_node('Cast', ['text'], ['bomb'], to=TensorProto.FLOAT)),
    'weight larger than its content': with_weight(set_dims(HUGE)),
    'weight with a product that overflows': with_weight(set_dims(2**32, 2**32)),
    'weight of negative size': with_weight(set_dims(-2)),
    'weight of many dimensions': with_weight(set_dims(*(1,) * 5000, 2)),
    'weight given twice': with_weight(lambda tensor: tensor.float_data.extend([1.0, 2.0])),
    'weight in segments': with_weight(lambda tensor: tensor.segment.SetInParent()),
    'weight of another type': with_weight(lambda tensor: setattr(tensor, 'data_type', 99)),
    'weight that is not finite': with_weight(
        lambda tensor: tensor.CopyFrom(from_array(np.full(2, np.nan, np.float32), tensor.name))),
    'weight in the place of an input': lambda model: model.graph.initializer.append(
        from_array(np.zeros(1, np.float32), 'imu')),
    'two results of a name': edit_graph(
        lambda graph: graph.node.append(helper.make_node('Identity', ['context'], [VICTIM]))),
    'circle': add_nodes(helper.make_node('Identity', ['bomb'], ['chase']),
                   helper.make_node('Identity', ['chase'], ['bomb'])),
    'input of another shape': redeclare('imu', TensorProto.FLOAT, ['S', 10_000, 9]),
    'input of another rank': redeclare('imu', TensorProto.FLOAT, ['S', 150]),
    'input of another type': redeclare('context', TensorProto.DOUBLE, ['S', 23]),
    'input for one subject': redeclare('context', TensorProto.FLOAT, [1, 23]),
    'output of another shape': redeclare(VICTIM, TensorProto.FLOAT, ['S', 3]),
    'output of another type': redeclare(VICTIM, TensorProto.DOUBLE, ['S', 2]),
    'unknown input': rename_first('input', 'lidar'),
    'unknown output': edit_graph(lambda graph: graph.output.append(
        helper.make_tensor_value_info('context', TensorProto.FLOAT, None))),
    'missing output': edit_graph(lambda graph: graph.output.remove(graph.output[0])),
    'shapes that contradict': edit_graph(lambda graph: graph.value_info.append(
        helper.make_tensor_value_info('imu', TensorProto.FLOAT, [1]))),
    'attribute by reference': add_reference,
    'attribute of many numbers': add_nodes(
        helper.make_node('Transpose', ['context'], ['bomb'], perm=[0] * 100_000)),
    'many nodes': add_many_nodes,
    'old operators': set_versions(8, ('', 1)),
    'operators of the future': set_versions(8, ('', 2**40)),
    'operators of another domain': set_versions(8, ('', 18), ('com.microsoft', 1)),
    'format of the future': set_versions(2**31),
    'negative format': set_versions(-1),
    'training steps': lambda model: model.training_info.add(),
}

ATTACKS_BY_COST: dict[str, GraphEdit] = {  # in the schema, and refused by a trial
    'constant of 15 GB': add_nodes(
        constant_node('size', np.array([4 * 10**9])),
        helper.make_node('ConstantOfShape', ['size'], ['bomb'])),
    'constant of a petabyte': add_nodes(
        constant_node('size', np.array([2**20, 2**28])),
        helper.make_node('ConstantOfShape', ['size'], ['bomb'])),
    'expansion': add_nodes(constant_node('size', np.array([2**17, 2**17, 1])), helper.make_node(
        'Expand', ['context', 'size'], ['bomb'])),
    'repetition': add_nodes(constant_node('size', np.array([1, 2**31])), helper.make_node(
        'Tile', ['context', 'size'], ['bomb'])),
    'margin': add_nodes(constant_node('size', np.array([0, 2**33, 0, 2**33])), helper.make_node(
        'Pad', ['context', 'size'], ['bomb'])),
    'doubling': add_nodes(
        helper.make_node('Identity', ['context'], ['x0']),
        *(helper.make_node('Concat', [f'x{number}'] * 2, [f'x{number + 1}'], axis=0)
          for number in range(40)), last='x40'),
    'slow products': add_nodes(
        constant_node('size', np.array([3000, 3000])), helper.make_node(
            'ConstantOfShape', ['size'], ['y0']),
        helper.make_node('ReduceMax', ['context'], ['any'], keepdims=0),
        helper.make_node('Add', ['y0', 'any'], ['y1']),
        *(helper.make_node('MatMul', [f'y{number}', f'y{number}'], [f'y{number + 1}'])
          for number in range(1, 100)), last='y100'),
}

ATTACKS_BY_OUTPUT: dict[str, GraphEdit] = {  # absurd, though finite, and refused where used
    'speed of light': shift_output('velocity', 1e8),
    'certainty': shift_output('velocity_log_std', -20.0),
    'no certainty at all': shift_output('velocity_log_std', 60.0),
    'far future': shift_output('future', 1e8),
    'certain future': shift_output('future_log_std', -40.0),
    'absurd acceleration': shift_output('synthesized_imu', 1e30),
    'absurd steps': shift_output('cadence', 1e6),
    'negative steps': shift_output('cadence', -1e3),
    'absurd swing': shift_output('swing_log_rms', 50.0),
}

HOSTILE_KINDS = (*RAW_ATTACKS, *ATTACKS_BY_SCHEMA, *ATTACKS_BY_COST, *ATTACKS_BY_OUTPUT)

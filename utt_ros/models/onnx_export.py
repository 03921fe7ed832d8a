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

"""ONNX export of a model: one call of the graph for all subjects of a tick."""

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

import onnx
import torch
from torch import Tensor, nn

from utt_ros.models.twin import UnifiedTwin
from utt_ros.motion.features import CONTEXT, VELOCITY_COLUMNS
from utt_ros.twin.graph_layout import LIVE_OUTPUTS, TRANSLATED_OUTPUTS

OPSET = 18
VELOCITY_VALID = CONTEXT.index('course_valid')


class LiveGraph(nn.Module):
    """Live graph: windows of S subjects in; motion, synthesized IMU and gait out.

    Motion depends on the context alone. The IMU is synthesized from the other modalities, from
    itself only where there is no other; its gait depends on the velocity from the camera. Boxes
    and ranges are translated from all present modalities; a twin prunes them.
    """

    def __init__(self, twin: UnifiedTwin, translated: Sequence[str] = ()) -> None:
        super().__init__()
        self.twin = twin
        self.translated = tuple(translated)
        names = twin.settings.modalities
        self.others = [name != 'imu' for name in names]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        *windows, context = inputs
        names = self.twin.settings.modalities
        values = dict(zip(names, windows[::2], strict=True))
        masks = dict(zip(names, windows[1::2], strict=True))
        features, present = self.twin.encode(values, masks)
        fused = self.twin.fuse(features, present)
        motion = self.twin.motion(context)
        others = present & torch.tensor(self.others)
        sources = others | (present & ~others.any(dim=1, keepdim=True))
        imu = self.twin.decode(
            'imu', self.twin.fuse(features, sources), newest=self.twin.window.imu_rows)
        swing = self.twin.stride(context[:, VELOCITY_VALID], context[:, VELOCITY_COLUMNS])
        return (motion.velocity, motion.velocity_log_std,
                motion.future, motion.future_log_std, imu, swing.cadence, swing.log_rms,
                *(self.twin.decode(name, fused) for name in self.translated))


def translated_modalities(twin: UnifiedTwin) -> tuple[str, ...]:
    """Return the modalities that the graph of this model translates for association."""
    return tuple(name for name in TRANSLATED_OUTPUTS if name in twin.settings.modalities)


def example_inputs(twin: UnifiedTwin, subjects: int) -> dict[str, Tensor]:
    """Return inputs of the graph by name: `m`, `m_mask` of every modality, then `context`."""
    inputs: dict[str, Tensor] = {}
    for name in twin.settings.modalities:
        window = twin.decode(name, torch.zeros(subjects, twin.settings.width)).detach()
        inputs[name] = window
        inputs[f'{name}_mask'] = torch.ones(window.shape[:2], dtype=torch.bool)
    inputs['context'] = torch.ones(subjects, len(CONTEXT))
    return inputs


class OnnxExporter:
    """Exporter that traces a model once and then only exchanges weights, in milliseconds."""

    def __init__(self, trace: Callable[[UnifiedTwin], onnx.ModelProto] | None = None) -> None:
        """`trace`: returns the graph of a model, of which it is the member `twin`."""
        self._trace = trace or trace_live_graph
        self.graph: onnx.ModelProto | None = None

    def export(self, twin: UnifiedTwin) -> bytes:
        """Return the graph with the weights of `twin`, whose settings must not change."""
        if self.graph is None:
            self.graph = self._trace(twin)
        weights = {f'twin.{name}': tensor for name, tensor in twin.state_dict().items()}
        graph = onnx.ModelProto()
        graph.CopyFrom(self.graph)  # a message keeps the memory of values that are replaced
        for initializer in graph.graph.initializer:
            if initializer.name in weights:
                initializer.raw_data = weights[initializer.name].detach().numpy().tobytes()
        content: bytes = graph.SerializeToString(deterministic=True)
        return content


def trace_live_graph(twin: UnifiedTwin) -> onnx.ModelProto:
    """Trace `LiveGraph`."""
    translated = translated_modalities(twin)
    outputs = [*LIVE_OUTPUTS, *(TRANSLATED_OUTPUTS[name] for name in translated)]
    return trace_graph(
        twin, lambda copy: LiveGraph(copy, translated), example_inputs(twin, 2), outputs)


def trace_graph(
    twin: UnifiedTwin, make_graph: Callable[[UnifiedTwin], nn.Module],
    inputs: Mapping[str, Tensor], outputs: Sequence[str],
) -> onnx.ModelProto:
    """Trace the graph that `make_graph` makes of a model, for any number of subjects.

    The tracing exporter needs no package beyond torch and onnx, and without constant folding every
    weight stays in the graph under its own name. Equal weights would be merged into one, so the
    weights of the trace are random.
    """
    twin = deepcopy(twin)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for weight in twin.parameters():
            weight.normal_()
    names = [*inputs, *outputs]
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            make_graph(twin).eval(), tuple(inputs.values()),
            buffer,  # type: ignore[arg-type]  # a file-like object is fine for this exporter
            dynamo=False,
            opset_version=OPSET, do_constant_folding=False, input_names=list(inputs),
            output_names=list(outputs), dynamic_axes={name: {0: 'S'} for name in names})
    return onnx.load_from_string(buffer.getvalue())


def export_onnx(twin: UnifiedTwin) -> bytes:
    """Export the live graph of one model."""
    return OnnxExporter().export(twin)

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
from functools import partial
from threading import Lock

import onnx
import torch
from torch import Tensor, nn

from utt_ros.models.twin import UnifiedTwin, is_present
from utt_ros.motion.features import CONTEXT, VELOCITY_COLUMNS
from utt_ros.twin.graph_layout import (
    AP_DIMENSIONS,
    LIVE_OUTPUTS,
    TRANSFERRED_IMU,
    TRANSLATED_OUTPUTS,
)
from utt_ros.types import AP_GEOMETRY, FURTHER_FTM

OPSET = 18
_TRACING = Lock()  # torch refuses a second export at the same time
BASE_OUTPUTS = LIVE_OUTPUTS[:-1]  # of every `LiveGraph`
VELOCITY_VALID = CONTEXT.index('course_valid')


class LiveGraph(nn.Module):
    """Live graph: windows of S subjects in; motion, synthesized IMU and gait out.

    Motion depends on the context alone. The IMU is synthesized from the other modalities, from
    itself only where there is no other; its gait depends on the velocity from the camera. Further
    outputs are the IMU from the other modalities alone, for which the IMU is not encoded, and
    boxes and ranges, those to the first access point, translated from all present modalities. A
    twin prunes what it does not need.
    """

    def __init__(
        self, twin: UnifiedTwin, further: Sequence[str] = (), inputs: Sequence[str] = (),
    ) -> None:
        """`further`: names of outputs; `inputs`: by default those of one access point."""
        super().__init__()
        self.twin = twin
        self.further = tuple(further)
        names = twin.settings.modalities
        self.inputs = tuple(inputs) or (
            *(part for name in names for part in (name, f'{name}_mask')), 'context')
        self.others = [name != 'imu' for name in names]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        named = dict(zip(self.inputs, inputs, strict=True))
        values, masks, geometry = model_inputs(named, self.twin.settings.modalities)
        context, first = named['context'], None if geometry is None else geometry[:, 0]
        encoded = {name: self.twin.encode_modality(name, values[name], masks[name], geometry)
                   for name in values}
        found = {name: is_present(mask) for name, mask in masks.items()}
        features, present = self.twin.stack(encoded, found)
        fused = self.twin.fuse(features, present)
        motion = self.twin.motion(context)
        others = present & torch.tensor(self.others)
        sources = others | (present & ~others.any(dim=1, keepdim=True))
        imu = self._decode_imu(features, sources)
        swing = self.twin.stride(context[:, VELOCITY_VALID], context[:, VELOCITY_COLUMNS])
        further = {output: partial(self.twin.decode, name, fused, geometry=first)
                   for name, output in TRANSLATED_OUTPUTS.items()}
        further[TRANSFERRED_IMU] = partial(self._transfer_imu, encoded, found, imu)
        return (motion.velocity, motion.velocity_log_std,
                motion.future, motion.future_log_std, imu, swing.cadence, swing.log_rms,
                *(further[name]() for name in self.further))

    def _transfer_imu(
        self, encoded: Mapping[str, Tensor], found: Mapping[str, Tensor], imu: Tensor,
    ) -> Tensor:
        """Decode the IMU from other modalities; without any in the model, `imu` as it is."""
        features = {name: feature for name, feature in encoded.items() if name != 'imu'}
        if not features:
            return imu.clone()
        return self._decode_imu(
            *self.twin.stack(features, {name: found[name] for name in features}))

    def _decode_imu(self, features: Tensor, use: Tensor) -> Tensor:
        """Decode the rows of the newest tick."""
        return self.twin.decode(
            'imu', self.twin.fuse(features, use), newest=self.twin.window.imu_rows)


def model_inputs(
    inputs: Mapping[str, Tensor], modalities: Sequence[str],
) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor | None]:
    """Return windows, masks and geometry from inputs of a graph; ranges of all access points."""
    values = {name: inputs[name] for name in modalities}
    masks = {name: inputs[f'{name}_mask'] for name in modalities}
    geometry = inputs.get(AP_GEOMETRY)
    if FURTHER_FTM in inputs:
        for found, further in ((values, FURTHER_FTM), (masks, f'{FURTHER_FTM}_mask')):
            found['ftm'] = torch.cat(
                [found['ftm'].unsqueeze(1), inputs[further].transpose(1, 2)], dim=1)
    return values, masks, geometry


def translated_modalities(twin: UnifiedTwin) -> tuple[str, ...]:
    """Return the modalities that the graph of this model translates for association."""
    return tuple(name for name in TRANSLATED_OUTPUTS if name in twin.settings.modalities)


def example_inputs(
    twin: UnifiedTwin, subjects: int, *, several: bool = False,
) -> dict[str, Tensor]:
    """Return inputs of the graph by name: `m`, `m_mask` of every modality, then `context`.

    With `several` access points, also their ranges and geometry, where the model reads them.
    """
    inputs: dict[str, Tensor] = {}
    for name in twin.settings.modalities:
        window = twin.decode(name, torch.zeros(subjects, twin.settings.width)).detach()
        inputs[name] = window
        inputs[f'{name}_mask'] = torch.ones(window.shape[:2], dtype=torch.bool)
    inputs['context'] = torch.ones(subjects, len(CONTEXT))
    if several and 'ftm' in inputs and twin.settings.reads_all_access_points:
        further = inputs['ftm'].unsqueeze(2).repeat(1, 1, 2, 1)
        inputs |= {FURTHER_FTM: further, AP_GEOMETRY: torch.ones(subjects, 3, 3),
                   f'{FURTHER_FTM}_mask': torch.ones(further.shape[:3], dtype=torch.bool)}
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


def trace_live_graph(twin: UnifiedTwin, *, several: bool = False) -> onnx.ModelProto:
    """Trace `LiveGraph`; with `several`, for any number of access points that it reads."""
    further = [TRANSFERRED_IMU, *(
        TRANSLATED_OUTPUTS[name] for name in translated_modalities(twin))]
    outputs = [*BASE_OUTPUTS, *further]
    inputs = example_inputs(twin, 2, several=several)
    return trace_graph(
        twin, lambda copy: LiveGraph(copy, further, list(inputs)), inputs, outputs)


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
    with _TRACING, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            make_graph(twin).eval(), tuple(inputs.values()),
            buffer,  # type: ignore[arg-type]  # a file-like object is fine for this exporter
            dynamo=False,
            opset_version=OPSET, do_constant_folding=False, input_names=list(inputs),
            output_names=list(outputs), dynamic_axes={name: _free_axes(name) for name in names})
    return onnx.load_from_string(buffer.getvalue())


def _free_axes(name: str) -> dict[int, str]:
    axes = {0: 'S'}
    if name in AP_DIMENSIONS:
        axes[AP_DIMENSIONS[name] + 1] = 'P' if name == AP_GEOMETRY else 'A'
    return axes


def live_exporter(access_points: int) -> OnnxExporter:
    """Return the exporter of live graphs for an area with so many access points."""
    return OnnxExporter(partial(trace_live_graph, several=access_points > 1))


def export_onnx(twin: UnifiedTwin, access_points: int = 1) -> bytes:
    """Export the live graph of one model, for an area with so many access points."""
    return live_exporter(access_points).export(twin)

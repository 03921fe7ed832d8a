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

"""ONNX export of task twins: windows of the sources in, newest rows of the target out."""

from collections.abc import Sequence
from functools import lru_cache, partial

import onnx
import torch
from torch import Tensor, nn

from utt_ros.errors import ModelError
from utt_ros.models.onnx_export import OnnxExporter, example_inputs, model_inputs, trace_graph
from utt_ros.models.operations import Pair, describe_lack
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import NEWEST_OUTPUTS, source_inputs
from utt_ros.types import AP_GEOMETRY

MAX_KEPT_GRAPHS = 16  # traced ones; tracing another takes a second


class TaskTwinGraph(nn.Module):
    """Graph of one translation (sources, target), for subjects all of whose sources are present.

    Magnetic fields are those of the area's orientation, as in `LiveGraph`.
    """

    def __init__(self, twin: UnifiedTwin, pair: Pair, inputs: Sequence[str]) -> None:
        """`inputs`: names of the inputs, in their order."""
        super().__init__()
        self.twin = twin
        self.sources, self.target = pair
        self.inputs = tuple(inputs)

    def forward(self, *inputs: Tensor) -> Tensor:
        named = dict(zip(self.inputs, inputs, strict=True))
        values, masks, geometry = model_inputs(named, self.sources)
        rows = self.twin.window.imu_rows if self.target == 'imu' else 1
        if len(self.sources) == 1:
            (source,) = self.sources
            feature = self.twin.encode_modality(source, values[source], masks[source], geometry)
        else:
            feature = self.twin.fuse(*self.twin.encode(values, masks, geometry))
        first = None if geometry is None else geometry[:, 0]
        return self.twin.decode(self.target, feature, newest=rows, geometry=first)


def export_task_twin(twin: UnifiedTwin, pair: Pair, access_points: int = 1) -> bytes:
    """Export the graph of one translation of a model, for an area with so many access points.

    The first export of a translation traces the model; later ones exchange weights alone. Raises
    ModelError for a model without one of the modalities.
    """
    sources, target = pair
    if lack := describe_lack({*sources, target}, twin.settings.modalities):
        raise ModelError(f'the model has {lack}')
    several = (twin.settings.reads_all_access_points and access_points > 1
               and 'ftm' in {*sources, target})
    return _exporter(twin.settings, twin.window, pair, several).export(twin)


@lru_cache(maxsize=MAX_KEPT_GRAPHS)
def _exporter(
    _model: ModelSettings, _window: WindowSettings, pair: Pair, several: bool,
) -> OnnxExporter:
    return OnnxExporter(partial(_trace, pair=pair, several=several))


def _trace(twin: UnifiedTwin, pair: Pair, several: bool) -> onnx.ModelProto:
    with torch.no_grad():
        inputs = example_inputs(twin, 2, several=several)
    sources, target = pair
    names = [name for source in sources for name in source_inputs(source, several=several)]
    if several and target == 'ftm':
        names.append(AP_GEOMETRY)
    chosen = {name: inputs[name] for name in names}
    return trace_graph(
        twin, lambda copy: TaskTwinGraph(copy, pair, names), chosen, [NEWEST_OUTPUTS[target]])

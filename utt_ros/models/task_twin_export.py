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

from functools import lru_cache, partial

import onnx
import torch
from torch import Tensor, nn

from utt_ros.errors import ModelError
from utt_ros.models.onnx_export import OnnxExporter, example_inputs, trace_graph
from utt_ros.models.operations import Pair, describe_lack
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import NEWEST_OUTPUTS

MAX_KEPT_GRAPHS = 16  # traced ones; tracing another takes a second


class TaskTwinGraph(nn.Module):
    """Graph of one translation (sources, target), for subjects all of whose sources are present.

    Magnetic fields are those of the area's orientation, as in `LiveGraph`.
    """

    def __init__(self, twin: UnifiedTwin, pair: Pair) -> None:
        super().__init__()
        self.twin = twin
        self.sources, self.target = pair

    def forward(self, *inputs: Tensor) -> Tensor:
        values = dict(zip(self.sources, inputs[::2], strict=True))
        masks = dict(zip(self.sources, inputs[1::2], strict=True))
        rows = self.twin.window.imu_rows if self.target == 'imu' else 1
        if len(self.sources) == 1:
            (source,) = self.sources
            feature = self.twin.encoders[source](values[source], masks[source])
        else:
            feature = self.twin.fuse(*self.twin.encode(values, masks))
        return self.twin.decode(self.target, feature, newest=rows)


def export_task_twin(twin: UnifiedTwin, pair: Pair) -> bytes:
    """Export the graph of one translation of a model.

    The first export of a translation traces the model; later ones exchange weights alone. Raises
    ModelError for a model without one of the modalities.
    """
    sources, target = pair
    if lack := describe_lack({*sources, target}, twin.settings.modalities):
        raise ModelError(f'the model has {lack}')
    return _exporter(twin.settings, twin.window, pair).export(twin)


@lru_cache(maxsize=MAX_KEPT_GRAPHS)
def _exporter(_model: ModelSettings, _window: WindowSettings, pair: Pair) -> OnnxExporter:
    return OnnxExporter(partial(_trace, pair=pair))


def _trace(twin: UnifiedTwin, pair: Pair) -> onnx.ModelProto:
    with torch.no_grad():
        inputs = example_inputs(twin, 2)
    names = [name for source in pair[0] for name in (source, f'{source}_mask')]
    return trace_graph(
        twin, lambda copy: TaskTwinGraph(copy, pair), {name: inputs[name] for name in names},
        [NEWEST_OUTPUTS[pair[1]]])

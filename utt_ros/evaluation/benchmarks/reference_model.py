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

"""The untrained model of the benchmark, of default size, the same for every pipeline."""

from pathlib import Path

from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings, dump_config, load_config
from utt_ros.models.twin import UnifiedTwin, build_twin, initial_weights
from utt_ros.settings import WindowSettings

SEED = 1


def write_model(folder: Path) -> None:
    """Write the configuration and the ONNX graph of the model."""
    model, window = ModelSettings(), WindowSettings()
    (folder / 'config.json').write_text(dump_config(model, window), encoding='utf-8')
    (folder / 'model.onnx').write_bytes(export_onnx(make_twin(model, window)))


def read_twin(config: Path) -> UnifiedTwin:
    """Read the configuration and make the torch model."""
    return make_twin(*load_config(config.read_text(encoding='utf-8')))


def make_twin(model: ModelSettings, window: WindowSettings) -> UnifiedTwin:
    """Make the model; equal settings give equal weights."""
    return build_twin(model, window, initial_weights(model, window, SEED)).eval()

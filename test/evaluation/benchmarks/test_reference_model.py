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

from pathlib import Path

import torch

from utt_ros.evaluation.benchmarks.reference_model import read_twin, write_model


def test_every_pipeline_gets_the_same_weights(tmp_path: Path) -> None:
    write_model(tmp_path)
    assert (tmp_path / 'model.onnx').stat().st_size > 0
    first, second = (read_twin(tmp_path / 'config.json').state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)

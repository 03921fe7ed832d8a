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

"""People who walk through a simulated building whose twins have the model of a demonstration."""

from typing import Any

from utt_ros.evaluation.building_walks import walk_building
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import load_config
from utt_ros.models.twin import build_twin
from utt_ros.sessions.simulator.crossing import plan_crossings

BUILDING_AREAS = 3
BUILDING_MINUTES = 3.0  # of which one session is walked


def cross_building(model: Checkpoint, seed: int) -> dict[str, Any]:
    """Score one session of a building: its areas are those of the demonstration, side by side.

    Twins and the people of the building are stepped in order of stamps, without ROS.
    """
    graph = export_onnx(build_twin(*load_config(model.config), model.tensors))
    plans = plan_crossings(BUILDING_AREAS, BUILDING_MINUTES, seed, ['area2'], 3,
                           one_access_point=['area1'])
    scores = walk_building(plans[:1], graph)
    return {**scores.values, 'beliefs_taken': scores.beliefs_taken}

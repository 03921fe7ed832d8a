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

"""Scenarios of `utt bench live`: the processes of each pipeline."""

from dataclasses import replace
from pathlib import Path

from utt_ros.evaluation.benchmarks.live_rig import Scenario, rig_process
from utt_ros.evaluation.benchmarks.load_messages import AREA
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.orchestration.spec import NodeSpec, ParameterValue, ProcessSpec, process_spec

PIPELINE = ('sync', 'twin')
LEARNING = ('trainer', 'aggregator')
PARAMETERS: dict[str, dict[str, ParameterValue]] = {
    'trainer': {'holdout_block': 0.0},  # no window is held out
    'aggregator': {'areas': (AREA.area,)},  # one area: rounds follow each other without a pause
}


def make_scenarios(phones: int, folder: Path) -> dict[str, Scenario]:
    """Return all scenarios by name; `folder` holds the model and the state of the nodes."""
    config, beside = str(folder / 'config.json'), folder / 'naive_training'
    model = ('--model', str(folder))
    training = rig_process(
        'training', 'training_load', str(phones), config, str(beside / 'training'))
    return {
        'training': Scenario(
            'utt, training',
            _our(folder, 'training', PIPELINE), _our(folder, 'training', LEARNING),
            ('--await-model',)),
        'serving': Scenario('utt', _our(folder, 'serving', PIPELINE), model=model),
        'naive': Scenario('naive', (_naive(phones, config, folder / 'naive'),)),
        'naive_training': Scenario(
            'naive, training', (_naive(phones, config, beside),), (training,)),
    }


def _our(folder: Path, name: str, wanted: tuple[str, ...]) -> tuple[ProcessSpec, ...]:
    plan = LaunchPlan(
        (AreaPlan(AREA),), state_dir=folder / name / 'state', aggregator=True, use_sim_time=False,
        log_level='warn', keys=folder / 'keys')
    return tuple(process_spec(_once(node)) for node in graph_nodes(plan) if node.name in wanted)


def _once(node: NodeSpec) -> NodeSpec:
    """Return the node without respawn: its death ends the measurement."""
    parameters = {**node.parameters, **PARAMETERS.get(node.name, {})}
    return replace(node, respawn=False, parameters=parameters)


def _naive(phones: int, config: str, folder: Path) -> ProcessSpec:
    return rig_process('naive', 'naive_pipeline', str(phones), config, str(folder / 'joined'))

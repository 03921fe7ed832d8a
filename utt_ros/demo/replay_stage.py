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

"""Areas with replayed sessions: nodes as processes, positions recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from utt_ros.demo.scenes import DemoArea
from utt_ros.errors import UttError
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.orchestration.spec import NodeSpec, ParameterValue, process_spec
from utt_ros.orchestration.supervisor import Supervisor

POLL_SEC = 0.5
AREA_CORES = 0.2  # approximate load of the live nodes of an area at rate 1
LIVE_SHARE = 0.5  # share of cores for live nodes; the others are for training
RECORDED = (r'/[^/]+/twins/[^/]+/position', r'/[^/]+/twin_status', r'(/[^/]+)?/clock',
            '/utt/people', '/map', '/diagnostics')
FUTURES = r'/[^/]+/twins/[^/]+/trajectory'  # of a test, for its film


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """Settings of one run of all areas."""

    folder: Path  # of state and logs
    record: Path  # new bag of RECORDED, and of FUTURES in a test
    rounds: int  # the federation ends after these
    deadline: float  # of a round after its first update [s]
    min_round: int  # of the model that twins must have before the replay begins
    learn: bool  # False: inference only
    rate: float = 1.0  # of the replay
    floor_plan: Path | None = None  # of the building that people cross, all areas on one clock


def replay_rate(areas: int, cores: int) -> float:
    """Rate of the replay during training, at most 1, which leaves cores to the trainers."""
    return min(1.0, LIVE_SHARE * cores / (AREA_CORES * areas))


def run_replay(
    areas: Sequence[DemoArea], replay_run: ReplayRun, watch: Callable[[], bool],
) -> None:
    """Start all nodes and replay until the end, or until `watch`, which is polled, returns true.

    Training loops over the training sessions; a test replays the others once. Raises
    UttError when an essential process dies.
    """
    specs = [process_spec(node) for node in list_replay_nodes(areas, replay_run)]
    logs = replay_run.folder / 'log'
    with Supervisor(specs, log_dir=logs) as running:
        while not (running.wait(POLL_SEC) or watch() or running.trouble()):
            pass
    if running.failure:
        raise UttError(f'{running.failure}; its log is in {logs}')


def list_replay_nodes(areas: Sequence[DemoArea], replay_run: ReplayRun) -> list[NodeSpec]:
    """List the nodes of one run, the recorder first."""
    plans = tuple(
        AreaPlan(area.settings, parameter_files=(area.file.absolute(),),
                 bags=area.train if replay_run.learn else area.replayed)
        for area in areas)
    crossed = replay_run.floor_plan is not None
    plan = LaunchPlan(
        plans, replay_run.folder / 'state', aggregator=True, loop=replay_run.learn,
        rate=replay_run.rate, log_level='warn', together=crossed, building=crossed,
        floor_plan=replay_run.floor_plan)
    parameters: dict[str, dict[str, ParameterValue]] = {
        'aggregator': {
            'areas': [area.name for area in areas], 'quorum': len(areas),
            'deadline': replay_run.deadline, 'max_rounds': replay_run.rounds},
        'twin': {} if crossed else {'hand_over': 0.0},  # else walker0 is another one in each area
        'trainer': {'learn': replay_run.learn}}
    arguments = {'wait_ready': ('--round', str(replay_run.min_round))}
    nodes = [
        replace(node, parameters={**node.parameters, **parameters.get(node.executable, {})},
                arguments=(*node.arguments, *arguments.get(node.executable, ())))
        for node in graph_nodes(plan)]
    recorded = RECORDED if replay_run.learn else (*RECORDED, FUTURES)
    topics = tuple(word for topic in recorded for word in ('--topic', topic))
    recorder = NodeSpec(
        'recorder', 'recorder', '/utt', arguments=(str(replay_run.record), *topics),
        ros_arguments=('--log-level', plan.log_level))
    return [recorder, *nodes]

"""The areas live: nodes as processes, sessions replayed into them, positions recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from utt_ros.demo.scenes import Scene
from utt_ros.errors import UttError
from utt_ros.orchestration.graph import AreaPlan, LaunchPlan, graph_nodes
from utt_ros.orchestration.spec import NodeSpec, Parameter, process_spec
from utt_ros.orchestration.supervisor import Supervisor

POLL_SEC = 0.5
AREA_CORES = 0.2  # that the live nodes of an area take at rate 1, about
LIVE_SHARE = 0.5  # of all cores; the others are for learning
RECORDED = (r'/[^/]+/twins/[^/]+/position', r'(/[^/]+)?/clock')


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of all areas."""

    folder: Path  # of state and logs
    record: Path  # new bag of RECORDED
    rounds: int  # after which the federation ends
    deadline: float  # for the last areas of a round [s]
    least_round: int  # model that the twins must have before the replay begins
    learn: bool  # False: the model is used and not changed
    rate: float = 1.0  # of the replay


def replay_rate(areas: int, cores: int) -> float:
    """How fast to replay while areas learn, 1 at most: trainers get what the live nodes leave."""
    return min(1.0, LIVE_SHARE * cores / (AREA_CORES * areas))


def run(scenes: Sequence[Scene], stage: Stage, watch: Callable[[], bool]) -> None:
    """Start everything, replay, and stop when that is over or `watch`, called often, says so.

    Learning replays the training sessions again and again, testing the test sessions once. Raises
    UttError when a process that matters dies.
    """
    specs = [process_spec(node) for node in _nodes(scenes, stage)]
    logs = stage.folder / 'log'
    with Supervisor(specs, log_dir=logs) as running:
        while not running.wait(POLL_SEC) and not watch():
            pass
    if running.failure:
        raise UttError(f'{running.failure}; its log is in {logs}')


def _nodes(scenes: Sequence[Scene], stage: Stage) -> list[NodeSpec]:
    areas = tuple(
        AreaPlan(scene.settings, parameter_files=(scene.file.absolute(),),
             bags=scene.train if stage.learn else scene.test)
        for scene in scenes)
    plan = LaunchPlan(
        areas, stage.folder / 'state', aggregator=True, loop=stage.learn, rate=stage.rate,
        log_level='warn')
    parameters: dict[str, dict[str, Parameter]] = {
        'aggregator': {
            'areas': [scene.name for scene in scenes], 'quorum': len(scenes),
            'deadline': stage.deadline, 'max_rounds': stage.rounds},
        'trainer': {'learn': stage.learn}}
    arguments = {'wait_ready': ('--round', str(stage.least_round))}
    nodes = [
        replace(node, parameters={**node.parameters, **parameters.get(node.executable, {})},
                arguments=(*node.arguments, *arguments.get(node.executable, ())))
        for node in graph_nodes(plan)]
    topics = tuple(word for topic in RECORDED for word in ('--topic', topic))
    recorder = NodeSpec(
        'recorder', 'recorder', '/utt', arguments=(str(stage.record), *topics),
        ros_arguments=('--log-level', plan.log_level))
    return [recorder, *nodes]

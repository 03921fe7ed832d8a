"""What is measured: the processes of each pipeline."""

from dataclasses import replace
from pathlib import Path

from utt_ros.evaluation.benchmarks.live_rig import Scenario, rig_process
from utt_ros.evaluation.benchmarks.load_messages import AREA
from utt_ros.orchestration.graph import AreaPlan, LaunchPlan, graph_nodes
from utt_ros.orchestration.spec import NodeSpec, Parameter, ProcessSpec, process_spec

PIPELINE = ('sync', 'twin')
LEARNING = ('trainer', 'aggregator')
PARAMETERS: dict[str, dict[str, Parameter]] = {
    'trainer': {'holdout_every': 1000},  # what is walked now is trained on now
    'aggregator': {'areas': (AREA.area,)},  # so rounds follow each other without a pause
}


def make_scenarios(phones: int, folder: Path) -> dict[str, Scenario]:
    """Every scenario by name; `folder` has the model and gets the state of the nodes."""
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
        log_level='warn')
    return tuple(process_spec(_once(node)) for node in graph_nodes(plan) if node.name in wanted)


def _once(node: NodeSpec) -> NodeSpec:
    """The same node, but its death ends the measurement."""
    parameters = {**node.parameters, **PARAMETERS.get(node.name, {})}
    return replace(node, respawn=False, parameters=parameters)


def _naive(phones: int, config: str, folder: Path) -> ProcessSpec:
    return rig_process('naive', 'naive_pipeline', str(phones), config, str(folder / 'joined'))

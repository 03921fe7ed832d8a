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

"""The federation in Flower's simulation engine, beside Algorithm 1 in one process."""

import tempfile
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

flwr_app = pytest.importorskip('flwr.serverapp', reason='the extra `flower` is not installed')

import tomllib  # as Flower, of Python 3.11 or newer
from flwr.simulation import run_simulation

from utt_ros.errors import SettingsError
from utt_ros.federation.checkpoints import CheckpointStore
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.flower import area_client, flower_server
from utt_ros.flower.area_client import RecordedAreas, make_client_app
from utt_ros.flower.flower_records import name_records
from utt_ros.flower.flower_server import order_areas, run_rounds
from utt_ros.flower.settings import FlowerSettings, read_run_config
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import initial_weights
from utt_ros.orchestration.ros_environment import CHECKOUT
from utt_ros.sessions.session_bags import write_area, write_session
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.training.offline_dataset import PAST_MODALITIES
from utt_ros.training.offline_trainer import make_trainers
from utt_ros.training.recordings import load_recordings
from utt_ros.training.simulated_rounds import FederationPlan, run_federation
from utt_ros.training.trainer import use_one_thread
from utt_ros.training.training_recipe import Recipe

EXAMPLE = CHECKOUT / 'examples/flower'
SMALL = ModelSettings(width=8, heads=2, feedforward=8)
ENGINE = {
    'init_args': {'num_cpus': 2, 'include_dashboard': False, 'log_to_driver': False,
                  'object_store_memory': 100 * 2**20},
    'client_resources': {'num_cpus': 1}}


@pytest.fixture(scope='module', autouse=True)
def _quiet() -> Iterator[None]:
    """Report nothing to anybody; keep Ray's sockets and logs in a folder with a short path."""
    with (tempfile.TemporaryDirectory(prefix='ray') as folder,
          pytest.MonkeyPatch.context() as patch):
        patch.setenv('RAY_TMPDIR', folder)
        patch.setenv('RAY_USAGE_STATS_ENABLED', '0')
        patch.setenv('RAY_worker_niceness', '0')
        patch.setenv('FLWR_TELEMETRY_ENABLED', '0')
        patch.setenv('FLWR_HOME', folder)
        yield


@pytest.fixture(scope='module')
def three_areas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write bags of three simulated areas, the second without a camera."""
    folder = tmp_path_factory.mktemp('areas')
    for planned in plan_sessions(3, 1.5, 1, ['area1']):
        area = planned.area.settings
        write_area(area, folder / area.area)
        write_session(simulate_session(planned), area, folder / area.area / planned.name)
    return folder


def simulate(settings: FlowerSettings, folder: Path, cache: Path, areas: int) -> None:
    """Run the federation in the simulation engine; raises what ended it."""
    app = flwr_app.ServerApp()
    app.main()(lambda grid, _: run_rounds(grid, settings))
    run_simulation(app, make_client_app(RecordedAreas(folder, cache)), areas, 'ray', ENGINE)


@pytest.mark.timeout(480)
def test_simulated_areas_train_the_model_of_one_process_bit_by_bit(
    three_areas: Path, tmp_path: Path,
) -> None:
    use_one_thread()
    aggregator = AggregatorSettings(state_dir=str(tmp_path / 'state'), deadline=0.0)
    settings = FlowerSettings(rounds=2, local_steps=2, min_areas=3, timeout_s=180.0,
                              model=SMALL, aggregator=aggregator)
    data = load_recordings(three_areas, tmp_path / 'cache')
    simulate(settings, three_areas, tmp_path / 'cache', 3)
    store = CheckpointStore(tmp_path / 'state', keep=2)
    trained, _ = store.newest()
    expected = run_federation(
        make_trainers(data, Recipe(model=SMALL), 0),
        initial_weights(SMALL, data.window, 0, PAST_MODALITIES),
        FederationPlan(rounds=2, local_steps=2, aggregator=aggregator))
    assert trained is not None
    assert trained.round == 2
    assert [sorted(closed.accepted) for closed in store.rounds()] == [sorted(data.areas)] * 2
    assert trained.tensors.keys() == expected.weights.keys()
    for name, tensor in expected.weights.items():
        np.testing.assert_array_equal(trained.tensors[name], tensor)


def test_example_has_settings_of_this_package_and_its_apps() -> None:
    project = tomllib.loads((EXAMPLE / 'pyproject.toml').read_text())['tool']['flwr']['app']
    assert read_run_config(project['config']).rounds == 20
    for component, app in (('serverapp', flower_server.server_app),
                           ('clientapp', area_client.client_app)):
        module, _, name = project['components'][component].partition(':')
        spec = spec_from_file_location(module, EXAMPLE / f'{module.replace(".", "/")}.py')
        assert spec is not None
        assert spec.loader is not None
        loaded = module_from_spec(spec)
        spec.loader.exec_module(loaded)
        assert getattr(loaded, name) is app


@pytest.mark.parametrize(('names', 'error'), [
    (['north'], '1 nodes have named an area: min_areas is 2'),
    (['north', 'north'], "nodes 0 and 1 are both area 'north'"),
    (['north', 'no/rth'], "node 1 gives 'no/rth', which is not a name of an area")])
def test_too_few_nodes_and_wrong_names_are_refused(names: list[str], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        order_areas([(node, name_records(name)) for node, name in enumerate(names)], 2)


def test_nodes_are_in_order_of_their_areas() -> None:
    found = order_areas([(1, name_records('west')), (2, name_records('east'))], 2)
    assert list(found.items()) == [('east', 2), ('west', 1)]

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

"""A sweep of trainings on Ray: interrupted on one machine, resumed on a cluster of two nodes."""

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation.ray_cluster import RayJob, _worker, run_on_ray
from utt_ros.evaluation.runner import row_as_json, run_evaluation
from utt_ros.evaluation.suites import suite_units
from utt_ros.evaluation.unit_worker import EvaluationRequest, FinishedUnit, UnitWorker
from utt_ros.models.model_card import code_digest
from utt_ros.models.settings import ModelSettings
from utt_ros.orchestration.ros_environment import CHECKOUT
from utt_ros.training.training_recipe import Recipe

NODES = ('127.0.0.2', '127.0.0.3')
STORE_BYTES = 100 * 2**20
SWEEP_SEC = 120.0
SWEEP = """
import pickle, sys
from functools import partial
from pathlib import Path
from utt_ros.evaluation.ray_cluster import run_on_ray
from utt_ros.evaluation.runner import run_evaluation
request = pickle.loads(Path(sys.argv[1]).read_bytes())
run_evaluation(request, partial(run_on_ray, address='', jobs=1), lambda *_: None)
"""


@pytest.fixture(scope='module')
def request_(sessions: Path, tmp_path_factory: pytest.TempPathFactory) -> EvaluationRequest:
    small = ModelSettings(width=8, heads=2, feedforward=8)
    return EvaluationRequest(
        (sessions,), tmp_path_factory.mktemp('out'), ('fusors',),
        recipe=Recipe(model=small, rounds=1, local_steps=1, batch=4))


@pytest.fixture(scope='module', autouse=True)
def _short_paths() -> Iterator[None]:
    """Keep Ray's sockets and logs in a folder of this module: their paths must be short."""
    with (tempfile.TemporaryDirectory(prefix='ray') as folder,
          pytest.MonkeyPatch.context() as patch):
        patch.setenv('RAY_TMPDIR', folder)
        patch.setenv('RAY_USAGE_STATS_ENABLED', '0')
        patch.setenv('RAY_worker_niceness', '0')
        yield


@pytest.fixture
def address() -> Iterator[str]:
    """Start a cluster of two nodes of one core."""
    cluster_utils = pytest.importorskip(
        'ray.cluster_utils', reason='the extra `ray` is not installed')
    node = {'num_cpus': 1, 'object_store_memory': STORE_BYTES, 'include_dashboard': False}
    cluster = cluster_utils.Cluster(
        initialize_head=True, head_node_args=node | {'node_ip_address': NODES[0]})
    try:
        cluster.add_node(**node, node_ip_address=NODES[1])
        yield cluster.address
    finally:
        cluster.shutdown()


def rows_of(request: EvaluationRequest) -> dict[str, list[dict[str, object]]]:
    """Run all units in this process."""
    worker, rows = UnitWorker(request), {}
    for unit in suite_units('fusors', request.open()):
        done = worker.run(('fusors', unit.key))
        assert done.result is not None, done.error
        rows[unit.key] = [row_as_json(row) for row in done.result.rows]
    return rows


def interrupt_after_one_unit(
    request: EvaluationRequest, folder: Path, wait_until: Callable[..., None],
) -> None:
    """Run the sweep on a local cluster, and press Ctrl-C when a unit is stored."""
    (folder / 'request').write_bytes(pickle.dumps(request))
    process = subprocess.Popen([sys.executable, '-c', SWEEP, str(folder / 'request')],
                               cwd=CHECKOUT, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    try:
        wait_until(lambda: any((request.out / 'units').glob('fusors-*.json'))
                   or process.poll() is not None, timeout_sec=SWEEP_SEC)
        assert process.poll() is None, process.communicate()[1]
        started = psutil.Process(process.pid).children(recursive=True)
        assert any(child.name() == 'raylet' for child in started)
        os.killpg(process.pid, signal.SIGINT)
        assert 'KeyboardInterrupt' in process.communicate(timeout=SWEEP_SEC)[1]
    finally:
        process.kill()
        process.communicate()
    _, alive = psutil.wait_procs(started, timeout=30.0)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.timeout(480)  # two clusters
def test_sweep_that_was_interrupted_resumes_on_two_nodes_with_the_rows_of_one_process(
    request_: EvaluationRequest, address: str, tmp_path: Path, wait_until: Callable[..., None],
) -> None:
    interrupt_after_one_unit(request_, tmp_path, wait_until)
    stored = {path.stem: path.stat().st_mtime_ns
              for path in (request_.out / 'units').glob('fusors-*.json')}
    finished: list[FinishedUnit] = []

    def progress(done: FinishedUnit | None, count: int, total: int) -> None:
        if done is None:
            assert 0 < count == len(stored) < total
        else:
            finished.append(done)

    assert run_evaluation(request_, partial(run_on_ray, address=address, jobs=1), progress) == []
    assert {done.key for done in finished}.isdisjoint(stored)
    assert {done.place for done in finished} == set(NODES)
    assert all((request_.out / f'units/{key}.json').stat().st_mtime_ns == at
               for key, at in stored.items())
    assert read_rows(request_) == rows_of(replace(request_, out=tmp_path))


def read_rows(request: EvaluationRequest) -> dict[str, list[dict[str, object]]]:
    return {path.stem: json.loads(path.read_bytes())['rows']
            for path in (request.out / 'units').glob('fusors-*.json')}


def test_nodes_with_another_program_or_other_recordings_are_refused(
    request_: EvaluationRequest,
) -> None:
    with pytest.raises(SettingsError, match='another version of the program'):
        _worker(RayJob(request_, 'other', ''))
    with pytest.raises(SettingsError, match='other recordings in '):
        _worker(RayJob(request_, code_digest(), 'other'))


@pytest.mark.skipif(find_spec('ray') is None, reason='the extra `ray` is not installed')
@pytest.mark.parametrize('address', ['127.0.0.1:1', 'head', 'head:port', '127.0.0.1:99999'])
def test_address_where_no_cluster_answers_is_refused_at_once(
    address: str, request_: EvaluationRequest,
) -> None:
    with pytest.raises(SettingsError, match=f'--ray is {address}: it must be HOST:PORT'):
        list(run_on_ray(request_, [('fusors', 'fusors-add-seed0')], address=address, jobs=1))
    assert 'RAY_AUTH_TOKEN' not in os.environ


def test_absent_extra_is_named(
    request_: EvaluationRequest, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(SettingsError, match='needs the extra `ray`'):
        list(run_on_ray(request_, [('fusors', 'fusors-add-seed0')], address='', jobs=1))

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

"""Units of an evaluation on Ray: tasks of a cluster on this machine or on several.

Every node has this package and the recordings, at the same paths; results come back to the caller,
which stores them.
"""

import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from logging import WARNING
from secrets import token_hex
from typing import Any

from utt_ros.errors import SettingsError, UttError
from utt_ros.evaluation.unit_worker import EvaluationRequest, FinishedUnit, UnitName, UnitWorker
from utt_ros.models.model_card import code_digest

CONNECT_SEC = 5.0
MAX_RETRIES = 3  # of a unit whose node or process died
OBJECT_STORE_BYTES = 512 * 2**20  # of a local cluster
# Nothing is reported to Ray's makers, and a task sees the GPUs that a process sees.
DEFAULTS = {'RAY_USAGE_STATS_ENABLED': '0', 'RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO': '0'}


@dataclass(frozen=True, slots=True)
class RayJob:
    """An evaluation as its tasks get it."""

    request: EvaluationRequest  # with absolute paths
    code: str  # digest of the program
    fingerprint: str  # of the recordings


def run_on_ray(
    request: EvaluationRequest, units: Sequence[UnitName], *, address: str, jobs: int,
) -> Iterator[FinishedUnit]:
    """Run units as tasks of one core each; yields each when it is finished.

    `address`: HOST:PORT of the head of a cluster; empty: one with `jobs` cores of this machine,
    for this evaluation only. Raises SettingsError.
    """
    if not units:
        return
    job = RayJob(_absolute(request), code_digest(), request.open().data.fingerprint)
    with _environment(address), _connection(address, jobs) as ray:
        task = ray.remote(num_cpus=1, max_retries=MAX_RETRIES)(_run_unit)
        pending = {task.remote(job, name): name for name in units}
        while pending:
            for finished in ray.wait(list(pending))[0]:
                yield _outcome(ray, finished, pending.pop(finished))


@contextmanager
def _environment(address: str) -> Iterator[None]:
    """Set what Ray reads; its ports are open to the network, so a local cluster has a password."""
    before = dict(os.environ)
    own = {} if address else {'RAY_AUTH_MODE': 'token', 'RAY_AUTH_TOKEN': token_hex(32)}
    os.environ.update(DEFAULTS | before | own)
    try:
        yield
    finally:
        for name in (DEFAULTS | own).keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _connection(address: str, jobs: int) -> Iterator[Any]:
    """Connect to a cluster, which ends the tasks of this process when it disconnects."""
    try:
        import ray  # noqa: PLC0415 - of an extra
    except ImportError as err:
        raise SettingsError("--ray needs the extra `ray`: pip install 'utt_ros[ray]'") from err
    handler = signal.getsignal(signal.SIGTERM)
    local = {'num_cpus': jobs, 'include_dashboard': False,
             'object_store_memory': OBJECT_STORE_BYTES}
    if address:
        _check_reachable(address)
    try:
        try:
            ray.init(address or 'local', log_to_driver=False, logging_level=WARNING,
                     **({} if address else local))
        except Exception as err:  # Ray itself raises it where a node starts slowly
            raise SettingsError(f'--ray is {address or "a local cluster"}: {err}') from err
        signal.signal(signal.SIGTERM, handler)  # Ray has set its own
        yield ray
    finally:
        ray.shutdown()


def _absolute(request: EvaluationRequest) -> EvaluationRequest:
    return replace(request, data=tuple(folder.absolute() for folder in request.data),
                   out=request.out.absolute(), model=request.model and request.model.absolute())


def _check_reachable(address: str) -> None:
    """Try the port, since Ray itself takes minutes to give up."""
    host, _, port = address.rpartition(':')
    try:
        socket.create_connection((host, int(port)), CONNECT_SEC).close()
    except (OSError, ValueError, OverflowError) as err:
        raise SettingsError(f'--ray is {address}: it must be HOST:PORT of the head of a cluster: '
                            f'{err}') from err


def _outcome(ray: Any, finished: Any, name: UnitName) -> FinishedUnit:
    """Return the outcome of a task, also of one that died."""
    try:
        done: FinishedUnit = ray.get(finished)
    except ray.exceptions.RayError as err:
        reason = str(err).strip().splitlines()
        return FinishedUnit(name[1], 0.0, reason[-1] if reason else type(err).__name__)
    return done


@lru_cache(maxsize=1)
def _worker(job: RayJob) -> UnitWorker:
    """Return the worker of this process; it serves all units that Ray gives it."""
    if code_digest() != job.code:
        raise SettingsError('this node has another version of the program')
    job.request.out.mkdir(parents=True, exist_ok=True)
    worker = UnitWorker(job.request)
    if worker.fingerprint != job.fingerprint:
        raise SettingsError(f'this node has other recordings in '
                            f'{", ".join(map(str, job.request.data))}')
    return worker


def _run_unit(job: RayJob, name: UnitName) -> FinishedUnit:
    """Run one unit, in a process of Ray's."""
    import ray  # noqa: PLC0415 - as in run_on_ray()

    place = ray.util.get_node_ip_address()
    try:
        return replace(_worker(job).run(name), place=place)
    except UttError as err:
        return FinishedUnit(name[1], 0.0, f'{place}: {err}', place=place)

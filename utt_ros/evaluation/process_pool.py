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

"""Units of an evaluation in processes of this machine."""

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import active_children, get_context

from utt_ros.evaluation.unit_worker import EvaluationRequest, FinishedUnit, UnitName, UnitWorker


def run_in_processes(
    request: EvaluationRequest, units: Sequence[UnitName], *, jobs: int,
) -> Iterator[FinishedUnit]:
    """Run units in `jobs` processes; yields each when it is finished."""
    if not units:
        return
    pool = ProcessPoolExecutor(
        min(jobs, len(units)), get_context('spawn'), _start_worker, (request,))
    try:
        pending: set[Future[FinishedUnit]] = {pool.submit(_run_unit, item) for item in units}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except BaseException:  # at Ctrl-C no further unit may start
        for process in active_children():
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


_workers: list[UnitWorker] = []


def _start_worker(request: EvaluationRequest) -> None:
    """Prepare a worker; it leaves Ctrl-C to its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _workers[:] = [UnitWorker(request)]


def _run_unit(name: UnitName) -> FinishedUnit:
    return _workers[0].run(name)

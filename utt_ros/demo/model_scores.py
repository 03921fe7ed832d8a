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

"""Scores of global models that need no replay, computed while nodes run."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

from utt_ros.demo.held_out import nmse_by_checkpoint, untrained_positions
from utt_ros.demo.position_scores import PublishedPositions
from utt_ros.demo.scenes import DemoArea
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.training.trainer import use_one_thread

T = TypeVar('T')
NICENESS = 10  # nodes come first


class ModelScores:
    """Scores of the first and the last global model, begun in a thread of low priority.

    What has not begun when it is asked for is computed by the asking thread.
    """

    def __init__(self, areas: Sequence[DemoArea], models: Sequence[Checkpoint]) -> None:
        use_one_thread()
        pool = ThreadPoolExecutor(1, initializer=os.nice, initargs=(NICENESS,))
        self._nmse = {area.name: _Begun(pool, partial(nmse_by_checkpoint, models, area))
                      for area in areas}
        self._untrained = {area.name: _Begun(pool, partial(untrained_positions, models[0], area))
                           for area in areas}
        pool.shutdown(wait=False)

    def nmse(self, area: str) -> list[dict[str, float]]:
        """Return NMSE_var by operation of each model. Raises SessionError."""
        return self._nmse[area].result()

    def untrained(self, area: str) -> list[PublishedPositions]:
        """Return the positions by the first model in each replayed session."""
        return self._untrained[area].result()


class _Begun(Generic[T]):
    def __init__(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> None:
        self._work = work
        self._future: Future[T] = pool.submit(work)

    def result(self) -> T:
        return self._work() if self._future.cancel() else self._future.result()

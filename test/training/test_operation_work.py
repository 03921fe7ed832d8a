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
"""Tuned weights serve where they are no worse on held-out windows; otherwise the first ones do."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from utt_ros.errors import TwinError
from utt_ros.federation.wire import pack
from utt_ros.task_twins.types import TaskTwin

TRANSFER = {'target_tasks': ('trajectory',), 'max_windows': 150}


@pytest.fixture
def hall(build_trainer: Callable[..., Any]) -> Any:
    """Return a trainer with a tuned twin, and boxes in its training windows that are false since.

    Whoever is tuned on these selects better, and is worse on held-out windows.
    """
    made = build_trainer('hall')
    made.run('transfer', 'hall_position', **TRANSFER)
    boxes = made.client.trainer.memory.training.all()['camera']
    boxes[:] = np.random.default_rng(0).permutation(boxes)
    return made


def test_worse_tuned_weights_are_dropped_and_the_first_ones_serve(hall: Any) -> None:
    former = hall.models.registry.get('hall_trajectory_2')
    outcome = hall.run('transfer', former.id, **TRANSFER)
    (twin,) = outcome.twins
    assert (twin.id, twin.status, twin.parents) == (
        'hall_trajectory_3', 'serving', ('hall_trajectory_2',))
    assert twin.mean_nmse == outcome.nmse_before[0] == former.mean_nmse
    assert (twin.nmse, twin.std) == (former.nmse, former.std)
    assert twin.model.checksum == former.model.checksum
    assert pack(hall.models.read(twin.id).weights).checksum == former.model.checksum
    assert (outcome.windows, twin.windows, twin.data_fingerprint) == (150, 0, '')
    assert 'fine-tuning on 150 windows gained nothing and was dropped' in outcome.sentence


def test_a_limit_holds_for_the_weights_that_serve(hall: Any) -> None:
    former: TaskTwin = hall.models.registry.get('hall_trajectory_2')
    before = hall.state()
    with pytest.raises(TwinError, match=f'has NMSE_var {former.mean_nmse:.3f} on 50 windows'):
        hall.run('transfer', former.id, max_nmse=0.99 * former.mean_nmse, **TRANSFER)
    assert hall.state() == before
    outcome = hall.run('transfer', former.id, max_nmse=1.01 * former.mean_nmse, **TRANSFER)
    assert outcome.twins[0].mean_nmse == former.mean_nmse


def test_a_twin_that_gained_nothing_follows_its_area_as_without_a_budget(
    build_trainer: Callable[..., Any],
) -> None:
    hall = build_trainer('hall')
    training = hall.client.trainer.memory.training.all()
    training['camera'][:] = training['camera'][0, 0]  # nothing varies to select by
    (twin,) = hall.run('transfer', 'hall_position', **TRANSFER).twins
    assert (twin.follows, twin.windows) == (True, 0)
    hall.receive(2)
    assert hall.models.registry.get(twin.id).model.round == 2


def test_equal_windows_give_equal_results(build_trainer: Callable[..., Any]) -> None:
    hall = build_trainer('hall')
    one, other = (hall.run('transfer', 'hall_position', **TRANSFER) for _ in range(2))
    assert one.twins[0].model.checksum == other.twins[0].model.checksum
    assert one.twins[0].data_fingerprint == other.twins[0].data_fingerprint
    assert one.twins[0].nmse == other.twins[0].nmse
    assert one.nmse_before == other.nmse_before

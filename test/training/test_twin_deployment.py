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

"""Graphs of serving twins: exported after changes, withdrawn when they no longer serve."""

from collections.abc import Callable
from typing import Any

import pytest

from utt_ros.training.client import ClientProblem
from utt_ros.training.twin_deployment import TwinDeployment


def test_serving_twins_are_deployed_and_withdrawn(
    build_trainer: Callable[..., Any],
) -> None:
    hall = build_trainer('hall')
    assert hall.deployment.step() == []
    (twin,) = hall.run('transfer', 'hall_position', target_tasks=('tracking',)).twins
    (first,) = hall.deployment.step()
    assert (first.id, first.sources, first.target, first.round) == (twin.id, ('ftm',), 'imu', 1)
    assert first.std == pytest.approx(list(twin.std.values()))
    assert not hall.deployment.step()
    hall.receive(2)
    (second,) = hall.deployment.step()
    assert (second.round, second.graph != first.graph) == (2, True)
    hall.models.manage('pause', twin.id)
    (gone,) = hall.deployment.step()
    assert (gone.id, gone.graph) == (twin.id, b'')
    (left,) = TwinDeployment(hall.models).step()  # of the next process
    assert (left.id, left.graph) == (twin.id, b'')


def test_a_twin_whose_file_is_damaged_is_a_problem_and_the_others_serve(
    build_trainer: Callable[..., Any],
) -> None:
    hall = build_trainer('hall')
    bad = hall.run('transfer', 'hall_position', target_tasks=('trajectory',), max_windows=60)
    good = hall.run('transfer', 'hall_position', target_tasks=('tracking',))
    hall.models.registry.path(bad.twins[0]).write_bytes(b'x')
    problem, deployed = hall.deployment.step()
    assert isinstance(problem, ClientProblem)
    assert 'hall_trajectory_2 is not in service' in problem.text
    assert deployed.id == good.twins[0].id
    assert hall.deployment.step() == []
    assert (hall.deployment.problem, hall.deployment.problems) == (problem.text, 1)
    hall.models.manage('pause', bad.twins[0].id)
    hall.deployment.step()
    assert (hall.deployment.problem, hall.deployment.problems) == ('', 1)

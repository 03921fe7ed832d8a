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

"""Requests for operations: limits with value, and a summary of the outcome."""

from dataclasses import replace
from typing import Any

import pytest

from utt_ros.errors import TwinError
from utt_ros.task_twins.operation_request import OperationOutcome, OperationRequest
from utt_ros.task_twins.types import TaskTwin


@pytest.mark.parametrize(('fields', 'sentence'), [
    ({'kind': 'swap'}, "operation 'swap' is unknown: it must be one of transfer, merge, split"),
    ({'sources': ()}, 'transfer has 0 source twins: it must have 1'),
    ({'sources': ('a', 'b')}, 'transfer has 2 source twins: it must have 1'),
    ({'kind': 'merge', 'sources': ('a', 'a')}, 'merge has 1 source twins: it must have 2 to 64'),
    ({'kind': 'merge', 'sources': ('a', 'b', 'b')}, 'merge names b twice'),
    ({'target_tasks': ('position', 'tracking')}, 'transfer has 2 target tasks: at most 1'),
    ({'kind': 'split', 'target_areas': tuple(f'a{n}' for n in range(17))},
     'split has 17 target areas: at most 16'),
    ({'kind': 'split', 'target_tasks': ('position', 'position')}, 'split names position twice'),
    ({'target_areas': ('a b',)}, "target area 'a b' is not a name"),
    ({'target_tasks': ('gait',)}, "target task 'gait' is unknown: it must be one of trajectory"),
    ({'max_windows': 1_000_001}, r'max_windows is 1e\+06: it must be finite, 0 to 1e\+06'),
    ({'max_seconds': -1.0}, 'max_seconds is -1: it must be finite, 0 to 86400'),
    ({'max_seconds': float('inf')}, 'max_seconds is inf'),
    ({'max_nmse': float('nan')}, 'max_nmse is nan: it must be finite, at least 0'),
])
def test_values_outside_their_limits_are_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TwinError, match=sentence):
        OperationRequest(**{'kind': 'transfer', 'sources': ('hall_position',)} | fields)


@pytest.mark.parametrize(('budget', 'tunes'), [
    ({}, False), ({'max_windows': 1}, True), ({'max_seconds': 0.5}, True)])
def test_without_a_budget_nothing_is_tuned(budget: dict[str, Any], tunes: bool) -> None:
    assert OperationRequest('transfer', ('hall_position',), **budget).tunes is tunes


def test_the_outcome_is_a_sentence_with_errors_before_and_after() -> None:
    twin = TaskTwin('hall_trajectory_2', 'hall', 'trajectory', ('ftm',), operation='transfer',
                    windows=200, nmse={'u_px': 0.25})
    outcome = OperationOutcome((twin,), (0.5,), 3.21, 0, 200)
    assert outcome.sentence == (
        'hall_trajectory_2 (NMSE_var 0.250, 0.500 before): made in 3.2 s')
    both = replace(outcome, twins=(twin, twin), nmse_before=(0.5, 0.75))
    assert both.sentence.count('hall_trajectory_2') == 2
    dropped = replace(outcome, twins=(replace(twin, windows=0, nmse={'u_px': 0.5}),))
    assert dropped.sentence == (
        'hall_trajectory_2 (NMSE_var 0.500, 0.500 before): made in 3.2 s; fine-tuning on 200 '
        'windows gained nothing and was dropped')

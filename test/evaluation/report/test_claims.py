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
"""Claims of the paper compared with results."""

from math import isnan

import pandas as pd
import pytest

from utt_ros.evaluation.report.claims import Claim, paper_claims
from utt_ros.evaluation.report.seed_statistics import seed_statistics

ROW = {'suite': 'operations', 'method': 'utt', 'operation': 'merge', 'sources': 'ftm+imu',
       'target': 'camera', 'fusor': 'gating', 'seed': 0, 'metric': 'nmse_var', 'value': 1.0,
       'n_windows': 5}


def claims(*changes: dict[str, object]) -> list[Claim]:
    return paper_claims(seed_statistics(pd.DataFrame(
        [ROW | change for change in changes], columns=list(ROW))))


def test_a_claim_without_rows_is_not_measured() -> None:
    assert {claim.verdict for claim in claims()} == {'not measured'}


@pytest.mark.parametrize(('direct', 'verdict'), [(2.0, 'yes'), (0.9, 'no')])
def test_merging_holds_where_its_error_is_below_that_of_direct_mapping(
    direct: float, verdict: str,
) -> None:
    merging, *others = claims({}, {'method': 'direct', 'value': direct})
    assert (merging.found.value, merging.verdict) == (1.0 / direct, verdict)
    assert merging.paper == pytest.approx(8.08 / 15.79)
    assert {claim.verdict for claim in others} == {'not measured'}


def test_times_are_those_of_the_slowest_configuration() -> None:
    time = {'suite': 'federation', 'operation': 'split', 'metric': 'time_s'}
    found = {claim.text: claim for claim in claims(
        time | {'method': 'utt_single', 'value': 4.0},
        time | {'method': 'direct_single', 'value': 5.0},
        time | {'method': 'direct_single', 'value': 8.0, 'target': 'imu'})}
    claim = found['All twins are mapped in less time than by direct mapping: ratio, splits']
    assert (claim.found.value, claim.verdict) == (0.5, 'yes')
    assert claim.paper == pytest.approx(4002 / 6843)


def test_a_claim_without_a_number_in_the_paper_is_measured_all_the_same() -> None:
    gate = claims({'suite': 'fusors', 'fusor': 'gating', 'value': 0.5},
                  {'suite': 'fusors', 'fusor': 'max', 'value': 0.4})
    fused = next(claim for claim in gate if claim.place == 'Fig. 4')
    assert isnan(fused.paper)
    assert (fused.found.value, fused.verdict) == (0.0, 'no')

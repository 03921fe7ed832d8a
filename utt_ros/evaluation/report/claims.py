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
"""Claims of the paper, compared with the results."""

from dataclasses import dataclass
from math import nan

import pandas as pd

from utt_ros.evaluation.report.goals import (
    Goal,
    error_ratio,
    gate_win_share,
    mean_error_ratio,
    worst_case,
)
from utt_ros.evaluation.report.paper_figures import PAPER_SPECIFIC, PAPER_TABLE

MOSTLY = 0.5  # share of directions
ABOUT_EQUAL = 1.05  # ratio of errors that counts as equal
VERDICTS = {'reached': 'yes', 'missed': 'no'}


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, its place in the paper and its number there; `found` holds our number."""

    text: str
    place: str
    paper: float  # NaN where the paper prints none
    found: Goal

    @property
    def verdict(self) -> str:
        """Return 'yes', 'no' or 'not measured'."""
        return VERDICTS.get(self.found.verdict, self.found.verdict)


def paper_claims(statistics: pd.DataFrame) -> list[Claim]:
    """Evaluate the claims that have a counterpart in the results."""
    return [*_error_claims(statistics), *_time_claims(statistics)]


def _error_claims(statistics: pd.DataFrame) -> list[Claim]:
    claims = [
        Claim(f'{name} has less error than direct mapping: ratio', 'Table I',
              _paper_ratio(operation, 'direct_single', 1),
              Goal('', error_ratio(statistics, operation, 'utt', 'direct', 'operations'), 1.0))
        for operation, name in (('merge', 'Merging'), ('split', 'Splitting'))]
    return [
        *claims,
        Claim('One unified model has about the error of function-specific models: ratio',
              'Fig. 5', PAPER_SPECIFIC['unified'] / PAPER_SPECIFIC['specific'],
              Goal('', mean_error_ratio(statistics, 'operations', 'utt', 'specific'),
                   ABOUT_EQUAL)),
        Claim('Federated training has about the error of centralised training: ratio, merges',
              'Table I', _paper_ratio('merge', 'centralised_single', 1),
              Goal('', error_ratio(statistics, 'merge', 'utt', 'centralised', 'federation'),
                   ABOUT_EQUAL)),
        Claim('A gate fuses best, or within one deviation of the best, in most directions: share',
              'Fig. 4', nan, Goal('', gate_win_share(statistics), MOSTLY, at_most=False))]


def _time_claims(statistics: pd.DataFrame) -> list[Claim]:
    return [
        Claim(f'All twins are mapped in less time than by {text}: ratio, {operation}s',
              'Table I', _paper_ratio(operation, other, 0),
              Goal('', worst_case(statistics, 'utt_single', operation, 'time_s')
                   / worst_case(statistics, other, operation, 'time_s'), 1.0))
        for other, text in (('direct_single', 'direct mapping'),
                            ('centralised_single', 'centralised training'))
        for operation in ('merge', 'split')]


def _paper_ratio(operation: str, other: str, column: int) -> float:
    """Ratio of the unified twin to another method in the paper: time (0) or error (1)."""
    return (PAPER_TABLE['utt_single', operation][column] / PAPER_TABLE[other, operation][column])

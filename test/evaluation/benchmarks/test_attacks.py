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

"""Poisoned federations, in a short form; the table is that of `utt bench attacks`."""

from dataclasses import replace

import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation.benchmarks.attacks import (
    CLEAN,
    HONEST,
    MEAN,
    ROOT_RULE,
    SCREENED,
    PoisonedFederations,
    PoisoningOutcome,
    PoisoningPlan,
    poisoning_table,
    poisoning_units,
    simulate_recordings,
    simulated_federations,
)

PLAN = PoisoningPlan(areas=5, minutes=1.5, rounds=3, seed=3)
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def outcomes() -> dict[tuple[str, str], PoisoningOutcome]:
    federations = simulated_federations(PLAN)
    units = [(MEAN, HONEST), (MEAN, CLEAN), (MEAN, 'sign_flip'), (SCREENED, CLEAN),
             (SCREENED, 'sign_flip'), (ROOT_RULE, 'replacement')]
    return {unit: federations.run(*unit) for unit in units}


Outcomes = dict[tuple[str, str], PoisoningOutcome]


def test_screening_withstands_flipped_signs_that_ruin_a_mean(outcomes: Outcomes) -> None:
    honest, screened = outcomes[MEAN, HONEST].nmse, outcomes[SCREENED, 'sign_flip']
    assert outcomes[MEAN, 'sign_flip'].nmse > 1.2 * honest
    assert screened.nmse < 1.05 * honest
    assert (screened.named, screened.false_names) == (1.0, 0.0)


def test_screening_costs_nothing_without_attack(outcomes: Outcomes) -> None:
    assert outcomes[SCREENED, CLEAN].nmse < 1.01 * outcomes[MEAN, CLEAN].nmse
    assert outcomes[SCREENED, CLEAN].false_names == 0.0


def test_a_root_of_trust_withstands_a_replaced_model(outcomes: Outcomes) -> None:
    assert outcomes[ROOT_RULE, 'replacement'].nmse < 1.1 * outcomes[MEAN, HONEST].nmse


def test_two_areas_are_too_few_to_hide_a_hostile_one() -> None:
    data, _ = simulate_recordings(replace(PLAN, areas=2, minutes=0.6))
    with pytest.raises(SettingsError, match='there are 2 areas: at least 3 are needed'):
        PoisonedFederations(data, PLAN)


def test_the_table_is_relative_to_the_honest_areas_alone() -> None:
    listed = [PoisoningOutcome(MEAN, HONEST, 0.8, 0.0, 0.0),
              PoisoningOutcome(MEAN, CLEAN, 0.75, 0.0, 0.0),
              PoisoningOutcome(MEAN, 'fti', 8.0, 0.0, 0.0),
              PoisoningOutcome(SCREENED, CLEAN, 0.75, 0.0, 0.0),
              PoisoningOutcome(SCREENED, 'fti', 0.8, 1.0, 0.0)]
    lines = poisoning_table(listed).splitlines()
    assert lines[1].split()[:3] == ['clean', '1.000', '1.000']
    assert lines[2].split()[:3] == ['fti', '10.000', '1.000']
    assert '100 % of hostile updates (0 % of honest updates)' in lines[2]


def test_a_clean_mean_is_trained_once() -> None:
    units = poisoning_units([MEAN, SCREENED], ['fti'])
    assert units == [(MEAN, HONEST), (MEAN, CLEAN), (MEAN, 'fti'), (SCREENED, CLEAN),
                     (SCREENED, 'fti')]

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

"""Damage to valid input."""

from random import Random

import pytest

from utt_ros.evaluation.benchmarks.byte_mutations import MAX_GROWTH, MAX_STEPS, MUTATIONS, mutate

SAMPLES = (b'{"range": 5230, "name": "anna"}', b'02:00:00:00:00:01,33,35,507')


def test_equal_seeds_give_equal_mutants_and_others_do_not() -> None:
    first, again, other = (
        [mutate(rng, SAMPLES) for _ in range(50)] for rng in (Random(1), Random(1), Random(2)))
    assert first == again != other
    assert len(set(first)) > 40


def test_a_mutant_is_no_longer_than_all_steps_may_make_it() -> None:
    rng = Random(3)
    assert max(len(mutate(rng, SAMPLES)) for _ in range(2000)) <= 100 + MAX_STEPS * 2 * MAX_GROWTH


@pytest.mark.parametrize('mutation', MUTATIONS)
def test_each_mutation_changes_a_sample_and_bears_an_empty_one(mutation) -> None:
    rng, changed = Random(4), 0
    for _ in range(50):
        data = bytearray(SAMPLES[0])
        mutation(rng, data, SAMPLES)
        changed += bytes(data) != SAMPLES[0]
        mutation(rng, bytearray(), SAMPLES)
    assert changed >= 25

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

"""Errors and bytes of compressed federations are told relative to plain ones of equal seed."""

from dataclasses import dataclass, field

from utt_ros.evaluation.benchmarks.attacks import MEAN, PoisoningOutcome, PoisoningPlan
from utt_ros.evaluation.benchmarks.compression_cost import compression_table, measure_compression


def outcome(nmse: float, up: float, down: float, named: float = 0.0) -> PoisoningOutcome:
    return PoisoningOutcome(MEAN, 'clean', nmse, 0.0, named, up, down)


def test_a_row_has_the_mean_and_the_worst_error_relative_to_plain_and_the_bytes_saved() -> None:
    table = compression_table([
        ('none', outcome(0.5, 3e3, 5e3)), ('sign', outcome(0.5, 1e2, 3e2)),
        ('none', outcome(0.4, 3e3, 5e3)), ('sign', outcome(0.44, 1e2, 3e2, named=0.5))])
    _, plain, sign = (line.split() for line in table.splitlines())
    assert plain == ['none', '3.0', '5.0', '1.0', '0.4500', '1.0000', '1.0000', '0', '%']
    assert sign == ['sign', '0.1', '0.3', '20.0', '0.4700', '1.0500', '1.1000', '25', '%']


@dataclass
class Federations:
    """Stand-in that notes what is trained."""

    seed: int
    units: list[tuple[int, str, str, str]] = field(default_factory=list)

    def run(self, rule: str, attack: str, scheme: str) -> PoisoningOutcome:
        self.units.append((self.seed, rule, attack, scheme))
        return outcome(1.0, 1.0, 1.0)


def test_each_seed_is_trained_plain_and_with_each_compression() -> None:
    made: list[Federations] = []

    def make(plan: PoisoningPlan) -> Federations:
        made.append(Federations(plan.seed))
        return made[-1]

    measured = list(measure_compression(
        make, PoisoningPlan(), 'screened', ['int8', 'sign'], [4, 9]))  # type: ignore[arg-type]
    assert [scheme for scheme, _ in measured] == 2 * ['none', 'int8', 'sign']
    assert [unit for each in made for unit in each.units] == [
        (seed, 'screened', 'clean', scheme) for seed in (4, 9)
        for scheme in ('none', 'int8', 'sign')]

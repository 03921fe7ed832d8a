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

"""Error and bytes of federations with compressed updates and models, relative to plain ones."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from utt_ros.evaluation.benchmarks.attacks import (
    CLEAN,
    PoisonedFederations,
    PoisoningOutcome,
    PoisoningPlan,
)
from utt_ros.federation.types import PLAIN
from utt_ros.text_table import align_columns

HEAD = ('compression', 'up [kB]', 'down [kB]', 'fewer bytes', 'NMSE', 'relative', 'worst', 'named')
KB = 1e3


def measure_compression(
    make: Callable[[PoisoningPlan], PoisonedFederations], plan: PoisoningPlan, rule: str,
    schemes: Sequence[str], seeds: Sequence[int],
) -> Iterator[tuple[str, PoisoningOutcome]]:
    """Train a federation without attacks for each seed, plain and with each compression."""
    for seed in seeds:
        federations = make(replace(plan, seed=seed))
        for scheme in (PLAIN, *schemes):
            yield scheme, federations.run(rule, CLEAN, scheme)


def compression_table(measured: Sequence[tuple[str, PoisoningOutcome]]) -> str:
    """Return a row per compression: bytes of an area in a round, errors relative to plain."""
    outcomes: dict[str, list[PoisoningOutcome]] = {}
    for scheme, outcome in measured:
        outcomes.setdefault(scheme, []).append(outcome)
    plain = outcomes[PLAIN]
    rows = []
    for scheme, items in outcomes.items():
        up, down = (float(np.mean([getattr(item, name) for item in items])) / KB
                    for name in ('bytes_up', 'bytes_down'))
        fewer = np.mean([(before.bytes_up + before.bytes_down) / (item.bytes_up + item.bytes_down)
                         for before, item in zip(plain, items, strict=True)])
        ratios = [item.nmse / before.nmse for before, item in zip(plain, items, strict=True)]
        rows.append((scheme, f'{up:.1f}', f'{down:.1f}', f'{fewer:.1f}',
                     f'{np.mean([item.nmse for item in items]):.4f}', f'{np.mean(ratios):.4f}',
                     f'{max(ratios):.4f}',
                     f'{100.0 * np.mean([item.false_names for item in items]):.0f} %'))
    return '\n'.join(align_columns(HEAD, rows, indent=''))

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

"""Explanation of a federation of two hosts that completed no round: what each node last told."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from utt_ros.evaluation.recorded_people import read_newest_values

TOLD = {  # keys of diagnostics, by node
    'trainer': ('round', 'windows', 'windows_held_out', 'windows_dropped', 'steps', 'problems',
                'models_refused'),
    'aggregator': ('round', 'updates_accepted', 'updates_refused')}
TAIL_LINES = 4


def explain_missed_round(folder: Path, areas: Sequence[str], limit_s: float) -> str:
    """Return counters of trainers and aggregator, and the ends of their logs. Raises SessionError.

    Diagnostics are in `folder`/diagnostics, logs in `folder`/<area>/log.
    """
    nodes = [*(f'{area}: trainer' for area in areas), 'utt: aggregator']
    return '\n'.join([
        f'no round had updates of {" and ".join(areas)} within {limit_s:g} s after the walk',
        *(f'{node}: {told}' for node, told in _newest(folder / 'diagnostics', nodes)),
        *_tails(sorted(folder.glob('*/log/*_trainer.log')) +
                sorted(folder.glob('*/log/*_aggregator.log')))])


def _newest(bag: Path, nodes: Sequence[str]) -> Iterator[tuple[str, str]]:
    values = {key: read_newest_values(bag, key) for keys in TOLD.values() for key in keys}
    for node in nodes:
        told = [f'{key} {values[key][node]}' for key in TOLD[node.rpartition(' ')[2]]
                if node in values[key]]
        yield node, ', '.join(told) or 'not in /diagnostics'


def _tails(logs: Sequence[Path]) -> Iterator[str]:
    for log in logs:
        lines = log.read_text(errors='replace').splitlines()[-TAIL_LINES:]
        yield from (f'{log.name}: {line}' for line in lines or ['(empty)'])

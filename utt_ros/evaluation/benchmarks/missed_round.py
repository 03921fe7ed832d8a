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

"""Explanation of a federation of two hosts that completed no round, by counters and logs."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from utt_ros.errors import SessionError
from utt_ros.evaluation.recorded_people import read_diagnostics

REPORTED_KEYS = {  # of diagnostics, by node
    'trainer': ('round', 'windows', 'windows_held_out', 'windows_dropped', 'steps', 'problems',
                'models_refused'),
    'aggregator': ('round', 'updates_accepted', 'updates_refused')}
TAIL_LINES = 4


def explain_missed_round(folder: Path, areas: Sequence[str], limit_s: float) -> str:
    """Return the newest counters of trainers and aggregator, and the ends of their logs.

    Diagnostics are in `folder`/diagnostics, logs in `folder`/<area>/log.
    """
    nodes = [*(f'{area}: trainer' for area in areas), 'utt: aggregator']
    return '\n'.join([
        f'no round had updates of {" and ".join(areas)} within {limit_s:g} s after the walk',
        *_newest_counters(folder / 'diagnostics', nodes),
        *_tails(sorted(folder.glob('*/log/*_trainer.log')) +
                sorted(folder.glob('*/log/*_aggregator.log')))])


def _newest_counters(bag: Path, nodes: Sequence[str]) -> Iterator[str]:
    try:
        newest = read_diagnostics(bag)
    except SessionError as err:
        yield str(err)
        return
    for node in nodes:
        values = newest.get(node, {})
        counters = [f'{key} {values[key]}' for key in REPORTED_KEYS[node.rpartition(' ')[2]]
                    if key in values]
        yield f'{node}: {", ".join(counters) or "not in /diagnostics"}'


def _tails(logs: Sequence[Path]) -> Iterator[str]:
    for log in logs:
        with log.open(errors='replace') as file:
            lines = deque(file, TAIL_LINES)
        yield from (f'{log.name}: {line.rstrip()}' for line in lines or ['(empty)'])

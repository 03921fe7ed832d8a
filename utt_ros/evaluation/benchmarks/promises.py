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

"""Promises about faults: results, their table and their JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from utt_ros.errors import SettingsError
from utt_ros.text_table import align_columns

MAX_FINDINGS = 5  # that are printed below the table, per promise
MAX_FINDING = 300  # characters


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Extent of the faults, and the folder for their files."""

    folder: Path
    seed: int = 7
    short: bool = False  # a small part of each count, for a test
    shard: tuple[int, int] = (0, 1)  # number of this part, and of all
    soak_sec: float = 3600.0

    def share(self, full: int, short: int) -> int:
        """Return the part of a count that falls to this shard."""
        number, parts = self.shard
        count = short if self.short else full
        return count * (number + 1) // parts - count * number // parts

    @property
    def shard_seed(self) -> int:
        """Seed of this shard."""
        number, parts = self.shard
        return self.seed * parts + number


@dataclass(frozen=True, slots=True)
class PromiseResult:
    """Outcome of the faults against one promise."""

    promise: str
    measured: str
    limit: str
    kept: bool | None  # None: could not be measured here, for the reason in `measured`
    findings: tuple[str, ...] = ()
    check: str = ''
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """Word of the table."""
        return {True: 'kept', False: 'BROKEN', None: 'not measured'}[self.kept]


FaultCheck = Callable[[FaultPlan], Sequence[PromiseResult]]


def read_shard(text: str) -> tuple[int, int]:
    """Read a shard such as '2/8': the second of eight. Raises SettingsError."""
    number, _, parts = text.partition('/')
    if not (number.isascii() and number.isdigit() and parts.isascii() and parts.isdigit()
            and 1 <= int(number) <= int(parts) <= MAX_SHARDS):
        raise SettingsError(
            f'shard is {text!r}: it must be i/n with 1 <= i <= n <= {MAX_SHARDS}')
    return int(number) - 1, int(parts)


MAX_SHARDS = 1000


def promise_table(results: Sequence[PromiseResult]) -> str:
    """Return the table, and below it what broke a promise."""
    head = ['check', 'promise', 'measured', 'limit', '']
    rows = [[item.check, item.promise, item.measured, item.limit, item.verdict]
            for item in results]
    lines = align_columns(head, rows, left=len(head), indent='')
    for item in results:
        lines += [f'{item.check}: {finding[:MAX_FINDING]}'
                  for finding in item.findings[:MAX_FINDINGS]]
        if len(item.findings) > MAX_FINDINGS:
            lines.append(f'{item.check}: {len(item.findings) - MAX_FINDINGS} more')
    return '\n'.join(lines)


def promises_as_json(plan: FaultPlan, results: Sequence[PromiseResult]) -> dict[str, Any]:
    """Convert results to JSON values."""
    return {
        'seed': plan.seed, 'short': plan.short, 'shard': [plan.shard[0] + 1, plan.shard[1]],
        'kept': all(item.kept is not False for item in results),
        'promises': [asdict(item) for item in results]}

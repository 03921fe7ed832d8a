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

"""Operations: transfer, merge and split, from source to target modalities [P]."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

Pair = tuple[tuple[str, ...], str]  # sources, target
KINDS = ('transfer', 'merge', 'split')


@dataclass(frozen=True, slots=True)
class Operation:
    """Translation of `sources` to `targets`; both sorted."""

    kind: str  # one of KINDS
    sources: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the form 'merge:camera+ftm->imu'."""
        return f'{self.kind}:{"+".join(self.sources)}->{"+".join(self.targets)}'

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Decodings, one per target."""
        return tuple((self.sources, target) for target in self.targets)


def transfers(modalities: Iterable[str]) -> list[Operation]:
    """List a transfer for every ordered pair."""
    return [Operation('transfer', (source,), (target,))
            for source, target in permutations(sorted(modalities), 2)]


def merges(modalities: Iterable[str], *, subsets: bool = False) -> list[Operation]:
    """List merges to each modality from all others or, with `subsets`, any two or more."""
    names = sorted(modalities)
    return [Operation('merge', sources, (target,))
            for target in names
            for sources in modality_groups(
                [name for name in names if name != target], subsets=subsets)]


def splits(modalities: Iterable[str], *, subsets: bool = False) -> list[Operation]:
    """List splits of each modality to all others or, with `subsets`, any two or more."""
    names = sorted(modalities)
    return [Operation('split', (source,), targets)
            for source in names
            for targets in modality_groups(
                [name for name in names if name != source], subsets=subsets)]


def modality_groups(names: Sequence[str], *, subsets: bool) -> list[tuple[str, ...]]:
    """List `names` or, with `subsets`, all its subsets; each has two or more names."""
    min_size = 2 if subsets else max(2, len(names))
    return [group for size in range(min_size, len(names) + 1)
            for group in combinations(names, size)]


def operations(
    modalities: Iterable[str], kinds: Collection[str] = KINDS, *, subsets: bool = False,
) -> list[Operation]:
    """List all operations of these kinds between modalities."""
    names = sorted(modalities)
    found = [*transfers(names), *merges(names, subsets=subsets), *splits(names, subsets=subsets)]
    return [operation for operation in found if operation.kind in kinds]


def describe_lack(needed: Iterable[str], available: Collection[str]) -> str:
    """Return the modalities that are needed and not available, in words; empty without any."""
    lacking = sorted(set(needed) - set(available))
    return f'no {" and ".join(lacking)}: it has {", ".join(available)}' if lacking else ''


def unique_pairs(wanted: Iterable[Operation]) -> list[Pair]:
    """Return the distinct decodings of operations, by target; splits share those of transfers."""
    pairs = {pair for operation in wanted for pair in operation.pairs}
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))

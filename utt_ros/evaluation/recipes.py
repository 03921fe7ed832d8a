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

"""Training recipes of the compared methods."""

from collections.abc import Iterable
from dataclasses import replace

from utt_ros.models.operations import Operation, Pair, operations
from utt_ros.training.offline_dataset import past
from utt_ros.training.training_recipe import Recipe, centralised


def direct(base: Recipe, target: str) -> Recipe:
    """Return direct mapping: a model of one modality that extrapolates from its past.

    Centralised, which is its strongest form.
    """
    return _single_modality(base, target, past(target))


def reconstruct(base: Recipe, target: str) -> Recipe:
    """Return an autoencoder of one modality: its input is the very window to predict."""
    return _single_modality(base, target, target)


def _single_modality(base: Recipe, target: str, source: str) -> Recipe:
    wanted = (Operation('transfer', (source,), (target,)),)
    return centralised(replace(
        base, terms=('transfer',), wanted=wanted,
        model=replace(base.model, modalities=(target, past(target)))))


def with_past(base: Recipe, modalities: Iterable[str]) -> Recipe:
    """Return the unified model with the past of the target as a further source."""
    names = sorted(modalities)
    wanted = [Operation('merge', tuple(sorted((*item.sources, past(target)))), (target,))
              for item in operations(names, subsets=True) for target in item.targets
              if item.kind != 'split']
    all_names = tuple(sorted([*names, *map(past, names)]))
    return replace(base, terms=('merge',), wanted=tuple(wanted),
                   model=replace(base.model, modalities=all_names))


def specific(base: Recipe, kind: str) -> Recipe:
    """Return a model of one kind of operation: Eq. 8 [P]."""
    return replace(base, terms=(kind,))


def with_fusor(base: Recipe, fusor: str) -> Recipe:
    """Return the recipe with another fusor, without motion, which no direction is scored on."""
    return replace(base, terms=('transfer', 'merge', 'split'),
                   model=replace(base.model, fusor=fusor))


def directions(modalities: Iterable[str]) -> list[tuple[str, Pair]]:
    """Return every direction (kind, (sources, target)) that has rows of results."""
    return [(item.kind, pair) for item in operations(modalities, subsets=True)
            for pair in item.pairs
            if item.kind != 'split' or len(item.targets) == len(set(modalities)) - 1]

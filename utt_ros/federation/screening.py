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

"""Screening of the updates of a round before they are aggregated: capped, clipped, or left out.

Three steps, each for every rule and server optimizer that follows:

1. Windows are capped at `max_share` times their median, so nobody decides by a claim.
2. The change of a part of the model is clipped at `clip` times the running median of its norms.
3. From `MIN_COMPARED` areas on, a part whose change does not point where the coordinate-wise
   median of all changes points is left out.

A part is a submodule, such as `decoders.camera`: areas hold different modalities, and an area is
compared with those that trained the same.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from utt_ros.federation.aggregation import Contribution
from utt_ros.federation.coordinate_statistics import coordinate_medians
from utt_ros.federation.wire import Tensors
from utt_ros.types import FloatArray

MIN_COMPARED = 4  # areas that trained a part; of three, one hostile moves the median too far
MEMORY_ROUNDS = 5  # of the running median of norms
SUSPECT_EXCESS = 4.0  # norm relative to the median
SUSPECT_SHARE = 0.4  # of an area's parts that oppose the others'
SUBMODULES = ('encoders', 'decoders')  # parts of the model with one submodule per modality


@dataclass(frozen=True, slots=True)
class Screened:
    """Contributions to aggregate, and areas that did not act as the others did, with reasons."""

    contributions: tuple[Contribution, ...]
    suspected: dict[str, str]


@dataclass(slots=True)
class _AreaFindings:
    """Parts of one area's update, and those that were clipped by far or left out."""

    parts: int = 0
    excess: tuple[float, str] = (0.0, '')  # largest norm relative to the median, and its part
    opposed: tuple[str, ...] = ()


class UpdateScreening:
    """Screening with a memory of norms; one per federation, for one thread.

    Holds one row of float32 per area for one tensor at a time, besides the contributions.
    """

    def __init__(self, clip: float, max_share: float, agreement: float) -> None:
        """`agreement`: least cosine with the median change, relative to the median cosine."""
        self._clip, self._max_share, self._agreement = clip, max_share, agreement
        self._norms: dict[str, deque[float]] = {}  # part -> medians of the last rounds

    def __call__(self, contributions: Sequence[Contribution], reference: Tensors) -> Screened:
        """Screen the updates of one round to `reference`; the given tensors are not changed."""
        held = {item.area: dict(item.tensors) for item in contributions}
        findings = {area: _AreaFindings() for area in held}
        for part, names in sorted(parts_of(reference).items()):
            self._screen_part(part, names, held, reference, findings)
        cap = self._max_share * lower_median([item.windows for item in contributions])
        screened = tuple(
            replace(item, tensors=held[item.area], windows=min(item.windows, max(1, round(cap))))
            for item in contributions)
        most = max((found.parts for found in findings.values()), default=0)
        reasons = {area: _reason(found, most) for area, found in findings.items()}
        return Screened(screened, {area: text for area, text in reasons.items() if text})

    def _screen_part(
        self, part: str, names: Sequence[str], held: dict[str, dict[str, FloatArray]],
        reference: Tensors, findings: Mapping[str, _AreaFindings],
    ) -> None:
        """Clip the part in `held`, and delete it where it opposes the others."""
        norms = {area: part_distance(tensors, reference, names) for area, tensors in held.items()
                 if any(name in tensors for name in names)}
        moved = [norm for norm in norms.values() if norm > 0.0]
        if not moved:
            return
        memory = self._norms.setdefault(part, deque(maxlen=MEMORY_ROUNDS))
        memory.append(lower_median(moved))
        typical = float(np.median(memory))
        for area, norm in norms.items():
            found = findings[area]
            found.parts += 1
            found.excess = max(found.excess, (norm / typical, part))
            _shrink(held[area], names, reference, self._clip * typical / max(norm, typical))
        for area in self._opposed(names, {area: held[area] for area in norms}, reference):
            findings[area].opposed += (part,)
            for name in names:
                held[area].pop(name, None)

    def _opposed(
        self, names: Sequence[str], held: Mapping[str, Tensors], reference: Tensors,
    ) -> list[str]:
        """Return the areas whose change does not point along the median change."""
        if len(held) < MIN_COMPARED:
            return []
        cosines = _cosines_with_median(names, held, reference)
        typical = float(np.median(list(cosines.values())))
        if typical <= 0.0:
            return []
        return [area for area, cosine in cosines.items() if cosine < self._agreement * typical]


def parts_of(names: Iterable[str]) -> dict[str, list[str]]:
    """Group the names of tensors by part of the model, such as `decoders.camera` or `fusor`."""
    parts: dict[str, list[str]] = {}
    for name in sorted(names):
        words = name.split('.')
        parts.setdefault('.'.join(words[:1 + (words[0] in SUBMODULES)]), []).append(name)
    return parts


def lower_median(values: Sequence[float]) -> float:
    """Return the median, of an even number the lower one: of two, the larger decides nothing."""
    return float(sorted(values)[(len(values) - 1) // 2])


def part_distance(one: Tensors, other: Tensors, names: Sequence[str]) -> float:
    """Return the distance of two models over those tensors of a part that both hold."""
    changes = (np.ravel(one[name] - other[name]) for name in names
               if name in one and name in other)
    return sqrt(sum(float(np.vdot(change, change)) for change in changes))


def _shrink(
    tensors: dict[str, FloatArray], names: Sequence[str], reference: Tensors, factor: float,
) -> None:
    """Multiply the change of a part by a factor below 1."""
    if factor < 1.0:
        for name in names:
            if name in tensors:
                before = reference[name]
                change = np.float32(factor) * (tensors[name] - before)
                tensors[name] = np.asarray(before + change, np.float32)


def _cosines_with_median(
    names: Sequence[str], held: Mapping[str, Tensors], reference: Tensors,
) -> dict[str, float]:
    """Return the cosine of each area's change with the coordinate-wise median of all changes."""
    products = {area: np.zeros(3) for area in held}  # with the median, of itself, of the median
    for name in names:
        areas = [area for area, tensors in held.items() if name in tensors]
        if not areas:
            continue
        changes = np.stack([np.ravel(held[area][name] - reference[name]) for area in areas])
        centre = coordinate_medians(changes)
        length = float(np.vdot(centre, centre))
        for area, change in zip(areas, changes, strict=True):
            products[area] += (np.vdot(change, centre), np.vdot(change, change), length)
    return {area: float(along / (sqrt(own * length) or 1.0))
            for area, (along, own, length) in products.items()}


def _reason(found: _AreaFindings, most: int) -> str:
    """Return the reason to suspect an area; empty without one.

    An area with fewer parts than others has other sensors: it learns something else, and is
    suspected only where all its parts oppose those of the others.
    """
    excess, part = found.excess
    share = SUSPECT_SHARE if found.parts == most else 1.0
    if excess > SUSPECT_EXCESS:
        return f'its change of {part} has {excess:.3g} times the median norm'
    if found.opposed and len(found.opposed) >= share * found.parts:
        return (f'its changes of {len(found.opposed)} of {found.parts} parts oppose the others: '
                f'{", ".join(found.opposed)}')
    return ''

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

"""Robust aggregation rules: each bounds the influence of a minority of hostile areas.

They ignore the numbers of windows, which areas claim. A tensor is aggregated over the areas that
sent it; one in no update stays.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from utt_ros.federation.aggregation import Contribution, average
from utt_ros.federation.coordinate_statistics import coordinate_medians, sorted_coordinates
from utt_ros.federation.screening import part_distance, parts_of
from utt_ros.federation.wire import Tensors
from utt_ros.types import Array, FloatArray

TRIMMED = 0.25  # share of areas at each end: of 8, the 2 that the median would also withstand
WEISZFELD_STEPS = 8
MIN_DISTANCE = 1e-6  # relative to the median distance; bounds a weight of the geometric median

Combine = Callable[[FloatArray], Array | FloatArray]


def trimmed_mean(
    contributions: Sequence[Contribution], reference: Tensors,
) -> dict[str, FloatArray]:
    """Average each weight without its largest and smallest values [S: Yin et al., ICML 2018]."""
    return _by_coordinate(contributions, reference, _mean_within)


def coordinate_median(
    contributions: Sequence[Contribution], reference: Tensors,
) -> dict[str, FloatArray]:
    """Take the median of each weight [S: Yin et al., ICML 2018]."""
    return _by_coordinate(contributions, reference, coordinate_medians)


def _by_coordinate(
    contributions: Sequence[Contribution], reference: Tensors, combine: Combine,
) -> dict[str, FloatArray]:
    following = dict(reference)
    for name in sorted(reference):
        rows = [item.tensors[name] for item in contributions if name in item.tensors]
        if rows:
            following[name] = combine(np.stack(rows)).astype(np.float32)
    return following


def _mean_within(rows: FloatArray) -> Array:
    trimmed = int(TRIMMED * len(rows))
    kept = np.ascontiguousarray(sorted_coordinates(rows)[:, trimmed:len(rows) - trimmed].T)
    return np.asarray(kept.mean(0, dtype=np.float64).reshape(rows.shape[1:]))


def geometric_median(
    contributions: Sequence[Contribution], reference: Tensors,
) -> dict[str, FloatArray]:
    """Minimize the sum of distances to the updates, by part [S: Pillutla et al., TSP 2022].

    By steps of the smoothed Weiszfeld algorithm.
    """
    following = dict(reference)
    for names, senders in _senders_of_parts(contributions, reference):
        weights = np.ones(len(senders))
        part = {name: reference[name] for name in names}
        for _ in range(WEISZFELD_STEPS):
            centre = _weighted(senders, weights, part)
            distances = np.array([part_distance(tensors, centre, names) for tensors in senders])
            weights = 1.0 / np.maximum(distances, MIN_DISTANCE * max(np.median(distances), 1e-30))
        following |= _weighted(senders, weights, part)
    return following


def multi_krum(
    contributions: Sequence[Contribution], reference: Tensors,
) -> dict[str, FloatArray]:
    """Average the updates nearest to their neighbours, by part [S: Blanchard et al., NIPS 2017].

    Of n areas, f = (n + 1) // 4 may be hostile; n - f are averaged. Up to 4 areas all are.
    """
    following = dict(reference)
    for names, senders in _senders_of_parts(contributions, reference):
        hostile = (len(senders) + 1) // 4 if len(senders) > 4 else 0
        scores = _krum_scores(senders, names, hostile)
        chosen = [senders[row] for row in np.argsort(scores, kind='stable')[
            :len(senders) - hostile]]
        part = {name: reference[name] for name in names}
        following |= _weighted(chosen, np.ones(len(chosen)), part)
    return following


def _senders_of_parts(
    contributions: Sequence[Contribution], reference: Tensors,
) -> Iterator[tuple[list[str], list[Tensors]]]:
    """Yield each part that was trained: its names, and the updates that hold any of them."""
    for names in parts_of(reference).values():
        senders = [item.tensors for item in contributions
                   if any(name in item.tensors for name in names)]
        if senders:
            yield names, senders


def _krum_scores(senders: Sequence[Tensors], names: Sequence[str], hostile: int) -> Array:
    """Sum the squared distances of each update to its n - f - 2 nearest neighbours."""
    squares = np.array([[part_distance(one, other, names)**2 for other in senders]
                        for one in senders])
    neighbours = max(1, len(senders) - hostile - 2)
    return np.asarray(np.sort(squares, axis=1)[:, 1:1 + neighbours].sum(1))


def _weighted(senders: Sequence[Tensors], weights: Array, part: Tensors) -> dict[str, FloatArray]:
    own = [({name: tensors[name] for name in part if name in tensors}, float(weight))
           for tensors, weight in zip(senders, weights, strict=True)]
    return average(own, part)


@dataclass(slots=True)
class FlTrust:
    """Weight by agreement with an update of trusted data [S: Cao et al., NDSS 2021].

    Per part: each change is scaled to the norm of the root's and weighted by its cosine with it,
    at least 0. A part that the root did not train is a `trimmed_mean`. `root` returns the tensors
    that trusted data trained from a model; it runs within the aggregation, which waits for it.
    """

    root: Callable[[Tensors], Tensors]

    def __call__(
        self, contributions: Sequence[Contribution], reference: Tensors,
    ) -> dict[str, FloatArray]:
        """Return the next model."""
        trusted = self.root(reference)
        following = trimmed_mean(contributions, reference)
        for names in parts_of(reference).values():
            root = {name: trusted[name] - reference[name] for name in names if name in trusted}
            if root:
                following |= _trusted_mean(contributions, root, reference)
        return following


def _trusted_mean(
    contributions: Sequence[Contribution], root: Tensors, reference: Tensors,
) -> dict[str, FloatArray]:
    total = dict.fromkeys(root, 1.0)  # the root takes part with trust 1
    sums = {name: change.astype(np.float64) for name, change in root.items()}
    for item in contributions:
        own = {name: item.tensors[name] - reference[name] for name in root if name in item.tensors}
        norm, root_norm, along = _products(own, root)
        trust = along / (norm * root_norm) if norm > 0.0 and root_norm > 0.0 else 0.0
        if trust > 0.0:
            for name, change in own.items():
                sums[name] += trust * root_norm / norm * change
                total[name] += trust
    return {name: np.asarray(reference[name] + sums[name] / total[name], np.float32)
            for name in root}


def _products(own: Tensors, root: Tensors) -> tuple[float, float, float]:
    """Return the norms of two changes and their scalar product, over what both hold."""
    own_square = sum(float(np.vdot(change, change)) for change in own.values())
    root_square = sum(float(np.vdot(root[name], root[name])) for name in own)
    along = sum(float(np.vdot(change, root[name])) for name, change in own.items())
    return float(np.sqrt(own_square)), float(np.sqrt(root_square)), along

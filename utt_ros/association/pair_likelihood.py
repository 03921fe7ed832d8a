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

"""Likelihood of each track-phone pair by one association method."""

from collections.abc import Sequence

import numpy as np

from utt_ros.association.assignment import Costs
from utt_ros.association.candidates import Candidates
from utt_ros.association.dead_reckoning import window_headings
from utt_ros.association.heading_offsets import HeadingOffsets
from utt_ros.association.pair_features import FEATURE_NAMES, pair_features
from utt_ros.association.pair_scorer import SCORER_FEATURES, PairScorer
from utt_ros.association.translation_cache import TranslationCache
from utt_ros.association.vifi_bipartite import LIVE_SETTINGS, VifiBipartite
from utt_ros.settings import AreaSettings
from utt_ros.types import FloatArray


class PairLikelihood:
    """Log likelihood ratios by one method in one area, with its model and its heading offsets."""

    def __init__(self, area: AreaSettings, method: str, scorer: PairScorer) -> None:
        self.area, self.method, self.scorer = area, method, scorer
        self.translations = TranslationCache(area.magnetic_yaw)
        self._offsets = HeadingOffsets()
        self._vifi = VifiBipartite(area, LIVE_SETTINGS)
        self._columns = [] if method == 'vifi' else [
            FEATURE_NAMES.index(name) for name in SCORER_FEATURES[method]]

    def clear(self) -> None:
        """Reset translations and heading offsets; the model stays."""
        self.translations.clear()
        self._offsets.clear()

    def log_ratios(self, candidates: Candidates) -> Costs:
        """Return log likelihood ratios (K, P) against the track having no phone."""
        return self.scorer(self.features(candidates))

    def features(self, candidates: Candidates) -> FloatArray:
        """Return the features (K, P, F) of the method."""
        offsets = self._offsets.of(candidates.phones)
        if self.method == 'vifi':
            return self._vifi.features(candidates, offsets)
        angles, valid = window_headings(candidates, self.area.magnetic_yaw)
        evidence = self.translations.update(candidates, valid)
        compass = (angles - offsets[:, None]).astype(np.float32), valid
        return pair_features(candidates, self.area, compass, evidence)[..., self._columns]

    def learn_offsets(
        self, candidates: Candidates, pairs: Sequence[tuple[int, int]], ticks: int,
    ) -> None:
        """Learn heading offsets from the last ticks of confident pairs, rows (track, phone)."""
        compass = window_headings(candidates, self.area.magnetic_yaw)
        self._offsets.learn(candidates, self.area, compass, pairs, ticks)

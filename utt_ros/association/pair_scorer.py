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

"""Pair scorers: perceptrons from pair features to a log likelihood ratio, and their JSON file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from utt_ros.association.assignment import Costs
from utt_ros.association.pair_features import FEATURE_NAMES
from utt_ros.association.vifi_bipartite import VIFI_FEATURES
from utt_ros.documents import load_json
from utt_ros.errors import SettingsError
from utt_ros.files import read_limited
from utt_ros.types import FloatArray

SHIPPED_SCORERS = Path(__file__).with_name('scorers.json')  # fitted as in docs/association.md
MAX_SCORERS_BYTES = 2**20
MAX_DEVIATIONS = 6.0  # standard deviations at which a feature is clipped
MODEL_FEATURES = (
    'translated_range_mean_m', 'translated_range_rms_m', 'velocity_rms_mps', 'velocity_surprise',
    'speed_difference_mps', 'path_rms_m', 'straight_m', 'translated_column', 'translated_depth',
    'translated_height', 'ranges', 'seconds')
SCORER_FEATURES: Mapping[str, tuple[str, ...]] = {  # by association method
    'vifi': VIFI_FEATURES, 'twin': MODEL_FEATURES, 'fused': FEATURE_NAMES}


@dataclass(frozen=True, slots=True)
class PairScorer:
    """Log likelihood ratio of a pair: a perceptron with one hidden layer.

    The ratio is against the track having no phone if such tracks were in training; otherwise it is
    known up to a constant of the track.
    """

    mean: FloatArray  # (F,) of the features in training
    std: FloatArray  # (F,)
    hidden: FloatArray  # (H, F)
    hidden_bias: FloatArray  # (H,)
    out: FloatArray  # (H,)
    level: float = 0.0

    def scale(self, features: FloatArray) -> FloatArray:
        """Standardize features (..., F); a NaN becomes 0, the training mean."""
        scaled = np.clip((features - self.mean) / self.std, -MAX_DEVIATIONS, MAX_DEVIATIONS)
        return np.asarray(np.nan_to_num(scaled, nan=0.0), np.float32)

    def __call__(self, features: FloatArray) -> Costs:
        """Return log likelihood ratios (...) of features (..., F)."""
        activation = np.tanh(self.scale(features) @ self.hidden.T + self.hidden_bias)
        return np.asarray(activation @ self.out, np.float64) + self.level


def write_scorers(scorers: Mapping[str, PairScorer]) -> str:
    """Return the JSON text of scorers by method."""
    return json.dumps({
        method: {'columns': SCORER_FEATURES[method], **{
            item.name: np.round(getattr(scorer, item.name), 6).tolist()
            for item in fields(PairScorer)}}
        for method, scorer in scorers.items()}) + '\n'


def read_scorer(method: str, path: Path = SHIPPED_SCORERS) -> PairScorer:
    """Read the scorer of a method. Raises SettingsError for a file that does not fit."""
    columns = SCORER_FEATURES[method]
    try:
        content = load_json(read_limited(path, MAX_SCORERS_BYTES))[method]
        values = {
            item.name: np.array(content[item.name], np.float32) for item in fields(PairScorer)}
        same = tuple(content['columns']) == columns
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as err:
        raise SettingsError(f'{path}: no scorer for {method!r}: {err!r}') from err
    level = values.pop('level')
    hidden = len(values['hidden_bias']) if values['hidden_bias'].ndim else 0
    shapes = {'mean': (len(columns),), 'std': (len(columns),), 'hidden_bias': (hidden,),
              'hidden': (hidden, len(columns)), 'out': (hidden,)}
    fits = same and level.shape == () and all(
        array.shape == shapes[name] and np.isfinite(array).all() for name, array in values.items())
    if not fits or not hidden or not (values['std'] > 0.0).all() or not np.isfinite(level):
        raise SettingsError(f'{path}: the scorer for {method!r} must be of {list(columns)}, '
                            'finite, with positive deviations')
    return PairScorer(**values, level=float(level))

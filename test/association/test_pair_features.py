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

import numpy as np
import pytest

from utt_ros.association.pair_features import FEATURE_NAMES, compute_pair_features


def feature(features, name):
    return features[..., FEATURE_NAMES.index(name)]


def test_residuals_of_true_pairs_are_zero(area, walkers, model) -> None:
    features = compute_pair_features(walkers(), area, model)
    for track, phone in ((0, 1), (1, 0)):
        assert feature(features, 'range_rms_m')[track, phone] == pytest.approx(0.0, abs=0.05)
        assert feature(features, 'heading_along')[track, phone] == pytest.approx(1.0, abs=0.01)
        assert feature(features, 'velocity_rms_mps')[track, phone] == pytest.approx(0.0, abs=0.1)
    assert feature(features, 'ranges').tolist() == [[10, 10], [10, 10]]
    assert feature(features, 'seconds')[0, 0] == pytest.approx(3.0)


def test_residuals_of_false_pairs_are_their_differences(area, walkers, model) -> None:
    features = compute_pair_features(walkers(), area, model)
    assert feature(features, 'heading_across')[0, 0] == pytest.approx(-1.0, abs=0.01)  # right
    assert feature(features, 'velocity_rms_mps')[0, 0] == pytest.approx(1.2 * 2**0.5, abs=0.1)


def test_features_begin_when_a_track_appears(area, walkers, model) -> None:
    features = compute_pair_features(walkers(appeared=21), area, model)
    assert feature(features, 'ranges')[0].tolist() == [3, 3]
    assert feature(features, 'seconds')[0, 0] == pytest.approx(0.9)


def test_without_ranging_the_features_of_ranges_are_nan(area, walkers, model) -> None:
    candidates = walkers()
    candidates.ftm_mask[:] = False
    features = compute_pair_features(candidates, area, model)
    assert np.isnan(feature(features, 'range_mean_m')).all()
    assert np.isfinite(feature(features, 'heading_along')).all()


def test_a_heading_bias_turns_the_headings_of_phones(area, walkers, model) -> None:
    features = compute_pair_features(walkers(), area, model, heading_bias=np.pi / 2)
    assert feature(features, 'heading_along')[0, 1] == pytest.approx(0.0, abs=0.01)
    assert feature(features, 'heading_across')[0, 1] == pytest.approx(1.0, abs=0.01)


def test_features_without_tracks_are_empty(area, walkers, model) -> None:
    features = compute_pair_features(walkers().select_tracks([]), area, model)
    assert features.shape == (0, 2, len(FEATURE_NAMES))

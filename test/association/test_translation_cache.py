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

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.association.dead_reckoning import window_headings
from utt_ros.association.model_evidence import query_model
from utt_ros.association.pair_features import FEATURE_NAMES, pair_features
from utt_ros.association.translation_cache import TranslationCache
from utt_ros.association.translator import PhoneTranslation
from utt_ros.errors import ModelError


class EchoModel:
    """Translator whose outputs identify the window: its newest acceleration and boxes."""

    ticks = 10

    def __init__(self):
        self.windows = []

    def translate_phones(self, ftm, ftm_mask, imu, imu_mask, heading_valid):
        self.windows.append(len(ftm))
        velocity = np.stack([imu[:, -1, 2] / 9.81, 0.1 * ftm[..., 0].sum(1)], axis=-1)
        boxes = np.repeat(imu[:, -1:, :5], self.ticks, axis=1)
        return PhoneTranslation(velocity, np.full((len(ftm), 2), 0.5, np.float32), boxes)

    def translate_tracks(self, boxes, mask):
        return np.stack([boxes[..., 2], boxes[..., 2]], axis=-1)


class BrokenModel(EchoModel):
    def translate_phones(self, *_):
        raise ModelError('velocity is not finite')


def until(candidates, tick):
    """The candidates at an earlier tick, padded to the same number of ticks."""
    rows = tick * candidates.imu_rows

    def moved(values, kept):
        late = np.zeros_like(values)
        late[:, values.shape[1] - kept:] = values[:, :kept]
        return late
    before_ns = round((candidates.ticks - tick) * candidates.period * 1e9)
    return replace(
        candidates, stamp_ns=candidates.stamp_ns - before_ns,
        boxes=moved(candidates.boxes, tick), boxes_mask=moved(candidates.boxes_mask, tick),
        ftm=moved(candidates.ftm, tick), ftm_mask=moved(candidates.ftm_mask, tick),
        imu=moved(candidates.imu, rows), imu_mask=moved(candidates.imu_mask, rows))


def heading_valid(candidates):
    return window_headings(candidates, 0.0)[1]


def update_along(cache, candidates):
    for tick in range(5, candidates.ticks + 1, 5):
        part = until(candidates, tick)
        evidence = cache.update(part, heading_valid(part))
    return evidence


def cache_of(translator):
    cache = TranslationCache(0.0)
    cache.translator = translator
    return cache


def test_cached_evidence_equals_that_of_a_new_query(area, walkers) -> None:
    candidates = walkers(ticks=60)
    compass = window_headings(candidates, 0.0)
    cached = pair_features(
        candidates, area, compass, update_along(cache_of(EchoModel()), candidates))
    queried = pair_features(
        candidates, area, compass, query_model(candidates, compass[1], EchoModel(), 0.0))
    assert np.isfinite(queried[..., FEATURE_NAMES.index('velocity_rms_mps')]).all()
    np.testing.assert_allclose(cached, queried, rtol=1e-5, atol=1e-5)


def test_every_window_is_translated_once(walkers) -> None:
    model = EchoModel()
    update_along(cache_of(model), walkers(ticks=60))
    assert model.windows == [2] * 12


def test_translations_before_the_span_are_dropped(walkers) -> None:
    cache, candidates = cache_of(EchoModel()), walkers(ticks=40)
    update_along(cache, candidates)
    much_later = replace(candidates, stamp_ns=candidates.stamp_ns + 10**11)
    assert cache.update(much_later, heading_valid(candidates)).ends.tolist() == [40]


@pytest.mark.parametrize('translator', [None, BrokenModel()])
def test_without_a_working_model_its_features_are_unknown(area, walkers, translator) -> None:
    cache, candidates = cache_of(translator), walkers()
    evidence = cache.update(candidates, heading_valid(candidates))
    features = pair_features(candidates, area, window_headings(candidates, 0.0), evidence)
    assert np.isnan(features[..., FEATURE_NAMES.index('velocity_rms_mps')]).all()
    assert np.isnan(features[..., FEATURE_NAMES.index('translated_range_rms_m')]).all()
    assert np.isfinite(features[..., FEATURE_NAMES.index('range_rms_m')]).all()
    assert cache.failures == (translator is not None)
    assert cache.last_failure == ('' if translator is None else 'velocity is not finite')

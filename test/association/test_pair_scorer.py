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

import json

import numpy as np
import pytest

from utt_ros.association.pair_scorer import (
    SCORER_FEATURES,
    SHIPPED_SCORERS,
    read_scorer,
    write_scorers,
)
from utt_ros.errors import SettingsError


@pytest.mark.parametrize('method', SCORER_FEATURES)
def test_the_package_ships_a_scorer_for_every_method(method) -> None:
    scores = read_scorer(method)(np.full((2, 3, len(SCORER_FEATURES[method])), np.nan, np.float32))
    assert scores.shape == (2, 3)
    assert np.isfinite(scores).all()


def test_written_scorers_are_read_again(tmp_path) -> None:
    scorer = read_scorer('vifi')
    (tmp_path / 'own.json').write_text(write_scorers({'vifi': scorer}))
    again = read_scorer('vifi', tmp_path / 'own.json')
    features = np.random.default_rng(0).normal(0, 3, (4, 3)).astype(np.float32)
    np.testing.assert_allclose(again(features), scorer(features), rtol=1e-6)


def changed(tmp_path, change):
    content = json.loads(SHIPPED_SCORERS.read_text())
    change(content['vifi'])
    path = tmp_path / 'changed.json'
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize('change', [
    lambda content: content.update(std=[0.0, 1.0, 1.0]),
    lambda content: content.update(out=[1.0]),
    lambda content: content.update(level='high'),
    lambda content: content.update(mean=[float('nan')] * 3),
    lambda content: content.update(columns=['vifi_cost', 'seconds', 'ranges']),
    lambda content: content.pop('hidden'),
])
def test_a_scorer_that_does_not_fit_its_features_is_refused(tmp_path, change) -> None:
    with pytest.raises(SettingsError, match='vifi'):
        read_scorer('vifi', changed(tmp_path, change))


@pytest.mark.parametrize('content', ['', '[]', '{"vifi": 3}', 'nonsense'])
def test_a_file_without_scorers_is_refused(tmp_path, content) -> None:
    path = tmp_path / 'bad.json'
    path.write_text(content)
    with pytest.raises(SettingsError, match=r'bad\.json'):
        read_scorer('vifi', path)


def test_the_error_names_a_missing_file(tmp_path) -> None:
    with pytest.raises(SettingsError, match=r'none\.json'):
        read_scorer('fused', tmp_path / 'none.json')

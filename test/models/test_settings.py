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

"""Model settings and their canonical JSON."""

import json

import pytest

from utt_ros.errors import ModelError, SettingsError
from utt_ros.models.settings import ModelSettings, dump_config, load_config
from utt_ros.settings import WindowSettings


def test_a_configuration_survives_the_wire() -> None:
    model = ModelSettings(width=32, heads=2, fusor='max', modalities=('ftm', 'imu'))
    window = WindowSettings(ticks=10, horizon=7)
    assert load_config(dump_config(model, window)) == (model, window)


def test_equal_settings_give_equal_text() -> None:
    text = dump_config(ModelSettings(), WindowSettings())
    assert text == dump_config(*load_config(json.dumps(json.loads(text), indent=2)))


@pytest.mark.parametrize(('text', 'reason'), [
    ('{', 'not JSON'),
    ('[]', 'exactly the parts'),
    ('{"model": {}, "window": {}}', 'exactly the parts'),
    ('{"model": {}, "networks": 1, "window": {}}', 'is for networks 1: this program has 2'),
    ('{"model": {}, "networks": 2, "window": []}', 'must be objects'),
    ('{"model": {"width": 100000}, "networks": 2, "window": {}}',
     'width is 100000: it must be at most 1024'),
    ('{"model": {"depth": 3}, "networks": 2, "window": {}}', "no setting 'depth'"),
    ('{"model": {"width": "64"}, "networks": 2, "window": {}}', "width is '64'"),
    ('{"model": {}, "networks": 2, "window": {"ticks": 1}}', 'ticks is 1: it must be at least 4'),
    ('[' * 8000, 'has 8000 lists and objects: at most 32'),
    ('{' * 40, 'has 40 lists and objects'),
    (' ' * 8193, 'has 8193 characters: at most 8192'),
    (f'{{"model": {{}}, "networks": 2, "window": {{"period": {"9" * 401}}}}}',
     'period is an integer of 1333 bits: it must be of the form 0.1'),
    (f'{{"model": {{"width": {"9" * 401}}}, "networks": 2, "window": {{}}}}',
     'width has more digits than a 64-bit integer'),
    (f'{{"model": {{"width": {"9" * 5000}}}, "networks": 2, "window": {{}}}}', 'model config'),
    ('{"model": {"fusor": ["x"]}, "networks": 2, "window": {}}', 'fusor is'),
    ('{"model": {}, "networks": 2, "window": {"period": NaN}}', 'period is nan'),
])
def test_a_foreign_configuration_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        load_config(text)


def test_width_must_be_a_multiple_of_heads() -> None:
    with pytest.raises(SettingsError, match='width is 30: it must be a multiple of heads, 4'):
        ModelSettings(width=30)


def test_modalities_must_be_sorted() -> None:
    with pytest.raises(SettingsError, match='sorted'):
        ModelSettings(modalities=('imu', 'camera'))

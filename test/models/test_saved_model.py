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

"""Files of saved models, read without torch."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.wire import pack, serialize
from utt_ros.models.saved_model import (
    DataStatistics,
    ModelCard,
    code_version,
    read_saved_model,
    write_saved_model,
)
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.settings import WindowSettings

MODEL, WINDOW = ModelSettings(fusor='max'), WindowSettings()
WEIGHTS = {'camera.w': np.arange(6, dtype=np.float32)}
STATISTICS = DataStatistics({'ftm': [1.0, 2.0]}, [3.0, 4.0], [2e-5, -4e-5])
CARD = ModelCard(
    list(MODEL.modalities), {}, dump_config(MODEL, WINDOW), 'abc', {'seed': 1}, {'score': 0.5},
    code_version(), pack(WEIGHTS).checksum, STATISTICS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_saved_model(tmp_path / 'model.safetensors', WEIGHTS, CARD)
    return tmp_path / 'model.safetensors'


def test_weights_come_back_with_their_card(path: Path) -> None:
    weights, card = read_saved_model(path)
    assert card == CARD
    assert np.array_equal(weights['camera.w'], WEIGHTS['camera.w'])
    beside = json.loads(path.with_suffix('.json').read_bytes())
    assert beside['statistics'] == asdict(STATISTICS)


def test_a_card_without_statistics_has_no_such_key_and_is_read(path: Path) -> None:
    write_saved_model(path, WEIGHTS, replace(CARD, statistics=None))
    assert 'statistics' not in json.loads(path.with_suffix('.json').read_bytes())
    assert read_saved_model(path)[1].statistics is None


@pytest.mark.parametrize(('change', 'reason'), [
    ({'further': 1}, 'must have exactly the fields'),
    ({'statistics': {'means': {}}}, 'statistics of its card cannot be read'),
    ({'code_version': '99.0'}, 'made by version 99.0'),
    ({'checksum': 'x'}, 'do not match the checksum'),
    ({'modalities': ['imu']}, 'its card has the modalities'),
])
def test_a_card_that_does_not_fit_is_refused_by_the_name_of_its_file(
    path: Path, change: dict[str, object], reason: str,
) -> None:
    path.write_bytes(serialize(WEIGHTS, {'card': json.dumps(asdict(CARD) | change)}))
    with pytest.raises(ModelError, match=rf'model\.safetensors: .*{reason}'):
        read_saved_model(path)


def test_a_model_is_read_without_torch(path: Path) -> None:
    code = ('import sys; from pathlib import Path; '
            'from utt_ros.models.saved_model import read_saved_model; '
            f'read_saved_model(Path({str(path)!r})); sys.exit("torch" in sys.modules)')
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0

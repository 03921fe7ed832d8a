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

"""Models that another area hands over: checked, judged, stored, or refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from utt_ros.errors import ModelError, TwinError
from utt_ros.federation.types import TwinHandover
from utt_ros.federation.wire import pack
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings
from utt_ros.task_twins.registry_file import dump_twin
from utt_ros.task_twins.types import TaskTwin

MODEL = ModelSettings(width=16, heads=2, feedforward=16)


def test_an_area_that_measures_the_target_judges_what_it_adopts(
    build_trainer: Callable[..., Any],
) -> None:
    hall, stairs = build_trainer('hall'), build_trainer('stairs')
    (twin,) = hall.run('transfer', 'hall_position', target_areas=('stairs',),
                       target_tasks=('trajectory',)).twins
    assert twin.judged_in == 'stairs'
    before = stairs.state()
    own = hall.run('transfer', 'hall_position', target_tasks=('trajectory',)).twins[0].mean_nmse
    with pytest.raises(TwinError, match=r'trajectory from ftm has NMSE_var .* not put in service'):
        hall.run('transfer', 'hall_position', target_areas=('stairs',), max_nmse=own * 1e-3,
                 target_tasks=('trajectory',))
    assert stairs.state() == before


@pytest.mark.parametrize(('damage', 'sentence'), [
    ({'payload': b'x'}, 'payload has checksum'),
    ({'config': '{}'}, 'model configuration'),
    ({'record': {'area': 'lab', 'id': 'lab_trajectory'}},
     "it is for area 'lab': this is 'stairs'"),
    ({'record': {'operation': 'native', 'task': 'position', 'id': 'stairs_position'}},
     'a native twin of stairs is a sensor'),
    ({'record': {'sources': ('imu',), 'task': 'position', 'id': 'stairs_position'}}, None),
    ({'window': WindowSettings(ticks=6)}, 'the model is for WindowSettings'),
    ({'model': replace(MODEL, modalities=('ftm', 'imu'))}, 'the model has no camera'),
    ({'model': replace(MODEL, width=32)}, 'tensor .* must be float32'),
])
def test_models_that_do_not_fit_are_not_adopted(
    build_trainer: Callable[..., Any], shape: WindowSettings, damage: dict, sentence: str | None,
) -> None:
    stairs = build_trainer('stairs', ('ftm', 'imu'), windows=0)
    record = TaskTwin('stairs_trajectory', 'stairs', 'trajectory', ('ftm',), operation='transfer')
    packed = pack(initial_weights(MODEL, shape, 3))
    config = dump_config(damage.get('model', MODEL), damage.get('window', shape))
    handover = TwinHandover(
        'hall', dump_twin(replace(record, **damage.get('record', {}))),
        damage.get('config', config), 0.0, packed.checksum,
        damage.get('payload', packed.payload))
    if sentence is None:
        assert stairs.adoption.adopt(handover, lambda: None).id == 'stairs_position_2'
        return
    before = stairs.state()
    with pytest.raises((ModelError, TwinError), match=sentence):
        stairs.adoption.adopt(handover, lambda: None)
    assert stairs.state() == before


def test_a_limit_holds_where_nothing_can_be_judged_too(
    build_trainer: Callable[..., Any], shape: WindowSettings,
) -> None:
    stairs = build_trainer('stairs', ('ftm', 'imu'), windows=0)
    record = TaskTwin('stairs_trajectory', 'stairs', 'trajectory', ('ftm',), operation='import')
    packed = pack(initial_weights(MODEL, shape, 3))

    def hand_over(twin: TaskTwin, limit: float) -> TaskTwin:
        return stairs.adoption.adopt(TwinHandover(
            'hall', dump_twin(twin), dump_config(MODEL, shape), limit, packed.checksum,
            packed.payload), lambda: None)

    judged = replace(record, nmse={'depth_m': 0.5}, judged_in='hall')
    with pytest.raises(TwinError, match='was never judged, and there is no data to judge on here'):
        hand_over(record, 0.4)
    with pytest.raises(TwinError, match=r'has NMSE_var 0.500 in hall: max_nmse is 0.4, so it is'):
        hand_over(judged, 0.4)
    assert hand_over(judged, 0.6).judged_in == 'hall'


def test_a_request_that_was_withdrawn_writes_nothing(
    build_trainer: Callable[..., Any], shape: WindowSettings,
) -> None:
    stairs = build_trainer('stairs', ('ftm', 'imu'), windows=0)
    record = TaskTwin('stairs_trajectory', 'stairs', 'trajectory', ('ftm',), operation='transfer')
    packed = pack(initial_weights(MODEL, shape, 3))

    def refuse() -> None:
        raise TwinError('the request was withdrawn')

    before = stairs.state()
    with pytest.raises(TwinError, match='was withdrawn'):
        stairs.adoption.adopt(TwinHandover(
            'hall', dump_twin(record), dump_config(MODEL, shape), 0.0, packed.checksum,
            packed.payload), refuse)
    assert stairs.state() == before

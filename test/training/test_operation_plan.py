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

"""Plan of an operation: what is read, from which weights it begins, and what cannot be made."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from utt_ros.errors import TwinError
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings
from utt_ros.task_twins.operation_request import OperationRequest
from utt_ros.training import operation_plan
from utt_ros.training.columns import Columns
from utt_ros.training.operation_plan import plan_operation, window_fingerprint
from utt_ros.training.twin_models import model_writer

MODEL = ModelSettings(width=16, heads=2, feedforward=16)


def test_merge_reads_all_sources_and_averages_their_models(
    build_trainer: Callable[..., Any], shape: WindowSettings,
) -> None:
    hall = build_trainer('hall')
    first = hall.run('transfer', 'hall_position', target_tasks=('trajectory',), max_windows=80)
    second = hall.run('transfer', 'hall_tracking', target_tasks=('trajectory',), max_windows=80)
    parents = (first.twins[0].id, second.twins[0].id)
    plan = plan_operation(
        OperationRequest('merge', parents), hall.area, shape, hall.models,
        {'hall': hall.area.modalities})
    one, two = (hall.models.read(name).weights for name in parents)
    name = 'encoders.ftm.' + next(
        key.removeprefix('encoders.ftm.') for key in one if key.startswith('encoders.ftm.'))
    assert plan.weights[name] == pytest.approx((one[name] + two[name]) / 2)
    (twin,) = hall.run('merge', *parents).twins
    assert (twin.sources, twin.task, twin.replaces) == (('ftm', 'imu'), 'trajectory', parents[1])
    assert not twin.follows
    assert hall.models.registry.get(parents[1]).status == 'paused'


def test_models_of_another_shape_are_not_averaged(
    build_trainer: Callable[..., Any], shape: WindowSettings,
) -> None:
    hall, wide = build_trainer('hall'), replace(MODEL, width=32)
    model = hall.models.read('hall_position')
    other = hall.models.registry.register(
        replace(model.twin, id='', operation='import', task='trajectory'), model_writer(replace(
            model, config=dump_config(wide, shape), weights=initial_weights(wide, shape, 1))))
    with pytest.raises(TwinError, match=f'{other.id} has a model of another shape than hall_tr'):
        hall.run('merge', 'hall_tracking', other.id, target_tasks=('trajectory',))


@pytest.mark.parametrize(('kind', 'sources', 'fields', 'sentence'), [
    ('transfer', ('hall_position',), {}, 'hall_position makes position of hall already'),
    ('transfer', ('hall_positon',), {},
     "there is no task twin 'hall_positon': close to it: hall_position"),
    ('transfer', ('stairs_position',), {}, "there is no task twin 'stairs_position'"),
    ('transfer', ('hall_tracking',), {'target_tasks': ('trajectory',)},
     'no data to judge on: hall does not measure camera'),
    ('transfer', ('hall_position',), {'target_areas': ('lab',), 'target_tasks': ('tracking',)},
     'lab has no sensor for ftm, which a twin of tracking would read: it has camera and imu'),
    ('transfer', ('hall_position',), {'target_areas': ('attic',)},
     'hall and attic share no sensor beside ftm, to make position from'),
    ('merge', ('hall_position', 'hall_tracking'), {},
     'the sources make position and tracking: name the target task'),
    ('merge', ('hall_position', 'hall_tracking'), {'target_tasks': ('position',)},
     'hall_position reads ftm, which a twin of position makes: it cannot be its source'),
])
def test_what_cannot_be_made_is_refused(
    build_trainer: Callable[..., Any], shape: WindowSettings, kind: str,
    sources: tuple[str, ...], fields: dict[str, Any], sentence: str,
) -> None:
    hall = build_trainer('hall', ('ftm', 'imu'), windows=0)
    sensors = {'hall': ('ftm', 'imu'), 'lab': ('camera', 'imu'), 'attic': ('camera',)}
    with pytest.raises(TwinError, match=sentence):
        plan_operation(
            OperationRequest(kind, sources, **fields), hall.area, shape, hall.models, sensors)


def test_a_native_twin_is_made_elsewhere_from_the_sensors_that_both_areas_have(
    build_trainer: Callable[..., Any], shape: WindowSettings,
) -> None:
    hall = build_trainer('hall', windows=0)
    request = OperationRequest('split', ('hall_trajectory',), ('stairs', 'lab'))
    plan = plan_operation(
        request, hall.area, shape, hall.models, {'stairs': ('ftm', 'imu'), 'lab': ('imu',)})
    assert plan.pairs == ((('ftm', 'imu'), 'camera'), (('imu',), 'camera'))
    assert plan.follows


def test_an_area_without_a_model_has_nothing_to_begin_with(
    build_trainer: Callable[..., Any], shape: WindowSettings,
) -> None:
    hall = build_trainer('hall', windows=0, round_=0)
    with pytest.raises(TwinError, match='the area has no model yet: no aggregator has sent one'):
        plan_operation(
            OperationRequest('transfer', ('hall_position',), (), ('tracking',)), hall.area, shape,
            hall.models, {'hall': hall.area.modalities})


def test_the_windows_of_several_twins_are_hashed_once(
    build_trainer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[str] = []

    def note(columns: Columns) -> str:
        hashed.append(window_fingerprint(columns))
        return hashed[-1]

    monkeypatch.setattr(operation_plan, 'window_fingerprint', note)
    outcome = build_trainer('hall').run(
        'split', 'hall_tracking', target_tasks=('position', 'trajectory'), max_windows=60)
    assert [twin.data_fingerprint for twin in outcome.twins] == 2 * hashed

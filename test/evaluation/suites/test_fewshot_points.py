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

"""Points of few-shot curves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.evaluation.federated.few_shot import TRANSFERRED, FewShotLearner
from utt_ros.evaluation.suites import fewshot_points
from utt_ros.evaluation.suites.fewshot_points import curve_point, new_area_groups
from utt_ros.evaluation.trained_models import Study


def test_every_area_is_left_out_once(study: Study) -> None:
    assert new_area_groups(study) == [('area0',), ('area1',)]
    assert new_area_groups(replace(study, given=Path('model'))) == [('area0', 'area1')]


def test_no_area_is_left_out_where_no_other_is_trained_on(study: Study) -> None:
    alone = tuple(item for item in study.data.recordings if item.area.area == 'area0')
    assert new_area_groups(replace(study, data=replace(study.data, recordings=alone))) == []


def test_a_point_is_read_back_as_it_was_measured_and_measured_anew_when_damaged(
    study: Study, monkeypatch: pytest.MonkeyPatch,
) -> None:
    learner = FewShotLearner(study.data)
    measured = curve_point(study, learner, TRANSFERRED, 0, 0)
    assert measured.windows == 0.0
    assert (('ftm', 'imu'), 'camera') in measured.errors
    assert (('imu',), 'camera') not in measured.errors
    calls = []
    measure = fewshot_points._measure
    monkeypatch.setattr(fewshot_points, '_measure',
                        lambda *args: calls.append(args) or measure(*args))
    cached = curve_point(study, learner, TRANSFERRED, 0, 0)
    assert cached.counts == measured.counts
    for pair, errors in measured.errors.items():
        np.testing.assert_array_equal(cached.errors[pair].error, errors.error)
    assert not calls
    for path in (study.folder / 'fewshot').glob('*.json'):
        path.write_text('{')
    assert curve_point(study, learner, TRANSFERRED, 0, 0).counts == measured.counts
    assert len(calls) == 1

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

"""Scores of models beside a replay: each is computed once, by whoever comes first."""

import threading

import pytest

from utt_ros.demo import model_scores
from utt_ros.demo.model_scores import ModelScores
from utt_ros.demo.scenes import DemoArea
from utt_ros.settings import AreaSettings


def test_what_has_not_begun_is_computed_by_who_asks(tmp_path, monkeypatch):
    areas = [DemoArea(AreaSettings(area=name), tmp_path, (), ()) for name in ('hall', 'stairs')]
    computed, may_end = [], threading.Event()

    def nmse(models, area):
        computed.append((area.name, threading.current_thread() is threading.main_thread()))
        if not computed[-1][1]:
            may_end.wait(60.0)
        return [{area.name: 1.0}]

    monkeypatch.setattr(model_scores, 'nmse_by_checkpoint', nmse)
    monkeypatch.setattr(model_scores, 'untrained_positions', lambda model, area: [area.name])
    scores = ModelScores(areas, [None])
    assert scores.nmse('stairs') == [{'stairs': 1.0}]
    may_end.set()
    assert scores.nmse('hall') == [{'hall': 1.0}]
    assert sorted(computed) == [('hall', False), ('stairs', True)]
    assert scores.untrained('hall') == ['hall']


def test_an_error_reaches_who_asks(tmp_path, monkeypatch):
    def fail(models, area):
        raise ValueError(area.name)

    monkeypatch.setattr(model_scores, 'nmse_by_checkpoint', fail)
    monkeypatch.setattr(model_scores, 'untrained_positions', lambda model, area: [])
    scores = ModelScores([DemoArea(AreaSettings(area='hall'), tmp_path, (), ())], [None])
    with pytest.raises(ValueError, match='hall'):
        scores.nmse('hall')

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

"""Rounds, errors and task twins, as a view keeps them."""

from types import SimpleNamespace

import numpy as np
import pytest

from utt_ros.view.federation_history import MAX_SHOWN_ROUNDS
from utt_ros.view.shown_topics import ShownTopic

METRICS = ShownTopic(
    '/hall/training_metrics', 'utt_ros/msg/TrainingMetrics', 'metrics', '/hall')
TWINS = {
    'hall_position': ('position', ['ftm'], [], np.nan),
    'hall_position_2': ('position', ['imu'], ['hall_position'], 0.5),
    'hall_position_3': ('position', ['camera'], ['hall_position'], 0.3)}


def test_errors_are_averaged_by_area_and_round(scene, tell, say):
    for area, round_, errors in (('hall', 0, {'a': 1.0, 'b': 0.5}), ('hall', 2, {'a': 0.5}),
                                 ('yard', 2, {'a': 0.8})):
        tell(f'/{area}/training_metrics', 'metrics', say.metrics(area, round_, errors))
    rounds, by_area = scene.federation.nmse_table()
    assert rounds.tolist() == [0.0, 2.0]
    assert by_area['hall'] == pytest.approx([0.75, 0.5])
    assert by_area['yard'] == pytest.approx([np.nan, 0.8], nan_ok=True)
    assert scene.federation.operations['hall'] == {'a': 0.5}


def test_newest_gates_are_kept_by_area_and_may_be_none(scene, tell, say):
    for gates in ({'ftm': 0.5, 'imu': 0.25}, {'ftm': 0.75, 'imu': np.nan}):
        tell('/hall/training_metrics', 'metrics', say.metrics('hall', 2, {}, gates))
    tell('/yard/training_metrics', 'metrics', say.metrics('yard', 2, {'a': 1.0}))
    assert scene.federation.gates == {'hall': {'ftm': 0.75}, 'yard': {}}


def test_modalities_and_gates_that_do_not_match_end_with_the_shorter_list(scene):
    for names, values in ((['ftm', 'imu'], [0.5]), (['ftm'], [0.5, 0.25])):
        scene.federation.receive(METRICS, SimpleNamespace(
            area='hall', round=2, operations=[], nmse_var=[], modalities=names,
            gate_weights=values))
        assert scene.federation.gates == {'hall': {'ftm': 0.5}}


def test_history_of_errors_is_bounded(scene, tell, say):
    for round_ in range(MAX_SHOWN_ROUNDS + 50):
        tell('/hall/training_metrics', 'metrics', say.metrics('hall', round_, {'a': 1.0}))
    rounds, _ = scene.federation.nmse_table()
    assert (len(rounds), rounds[-1]) == (MAX_SHOWN_ROUNDS, MAX_SHOWN_ROUNDS + 49)


def test_newest_round_is_kept(scene, tell, say):
    tell('/utt/rounds', 'rounds', say.rounds(7, ['hall', 'yard']))
    assert (scene.federation.round.round, scene.federation.round.accepted) == (
        7, ('hall', 'yard'))
    assert scene.federation.quorum == 2


def test_best_virtual_sensor_of_each_modality_synthesizes(scene, tell, say):
    tell('/utt/twins', 'twins', say.twins('hall', TWINS))
    best = scene.federation.synthesizers('hall')
    assert {modality: twin.id for modality, twin in best.items()} == {'ftm': 'hall_position_3'}
    assert not scene.federation.synthesizers('yard')


def test_invalid_task_twins_are_refused(scene, tell, say):
    tell('/utt/twins', 'twins', say.twins('hall', {'<script>': ('position', ['ftm'], [], 1.0)}))
    assert scene.refused == 1
    assert not scene.federation.twins

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

"""Texts of the panels; what others sent is text there, whatever it looks like."""

import numpy as np

from utt_ros.view.panel_text import areas_html, federation_html, people_html, twins_html


def test_panels_of_nothing_tell_that_nothing_is_heard(scene):
    assert 'no area is heard yet' in areas_html(scene)
    assert 'nobody' in people_html([])
    assert 'no round is heard yet' in federation_html(scene.federation)
    assert 'no task twin is heard yet' in twins_html(scene.federation)


def test_people_have_their_deviation_and_sources(scene, tell, say):
    tell('/hall/twin_status', 'status', say.status(0.0, {'ann': 'camera+ftm'}))
    tell('/hall/twins/ann/position', 'position', say.position(0.0, 3.0, 1.0, 0.25))
    assert 'ann           0.50 m  camera+ftm' in people_html(scene.people())
    assert 'hall: ann by camera+ftm (0.20 m); round 3' in areas_html(scene)


def test_rounds_and_errors_are_a_table(scene, tell, say):
    tell('/utt/rounds', 'rounds', say.rounds(7, ['hall']))
    tell('/hall/training_metrics', 'metrics', say.metrics('hall', 2, {'transfer:ftm->imu': 0.5}))
    text = federation_html(scene.federation)
    assert 'round 7 collecting, updates of hall; quorum 2' in text
    assert 'transfer:ftm-&gt;imu' in text
    assert '0.500' in text


def test_gates_follow_the_errors_by_area(scene, tell, say):
    for area, gates in (('hall', {'camera': 0.625, 'imu': 0.25}), ('yard', {'imu': 0.5})):
        tell(f'/{area}/training_metrics', 'metrics', say.metrics(area, 2, {'a': 1.0}, gates))
    lines = federation_html(scene.federation).splitlines()
    assert [line.split() for line in lines[-2:]] == [
        ['gate', 'of', 'camera', '0.625', '-'], ['gate', 'of', 'imu', '0.250', '0.500</div>']]


def test_task_twins_have_a_lineage(scene, tell, say):
    tell('/utt/twins', 'twins', say.twins('hall', {
        'hall_position': ('position', ['ftm'], [], np.nan),
        'hall_position_2': ('position', ['imu'], ['hall_position'], 0.5)}))
    assert '└─ hall_position_2' in twins_html(scene.federation)


def test_markup_from_other_processes_is_escaped(scene, tell, say):
    tell('/hall/twin_status', 'status', say.status(0.0, {'ann': '<img src=x onerror=alert(1)>'}))
    tell('/hall/training_metrics', 'metrics', say.metrics('<b>hall', 2, {'<i>': 0.5}))
    tell('/utt/rounds', 'rounds', say.rounds(7, ['<b>hall</b>']))
    for text in (areas_html(scene), federation_html(scene.federation)):
        assert '<img' not in text
        assert '<b>' not in text
        assert '<i>' not in text

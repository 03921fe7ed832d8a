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

"""Signals of one person: measured ones of the synchronizer, synthesized ones of task twins."""

import numpy as np
import pytest

from utt_ros.view.camera_picture import MEASURED_RGB, SYNTHESIZED_RGB
from utt_ros.view.person_signals import TWIN_ITSELF, PersonSignals
from utt_ros.view.shown_topics import PATTERNS, match_topic

TYPES = {kind: type_ for kind, type_, _ in PATTERNS}
TWINS = {'ftm': 'hall_position_2', 'camera': 'hall_trajectory_2', 'imu': TWIN_ITSELF}


def topic(name, kind):
    return match_topic(name, (TYPES[kind],))


@pytest.fixture
def signals():
    chosen = PersonSignals()
    chosen.choose('/hall', 'ann', TWINS)
    return chosen


@pytest.mark.parametrize(('name', 'kind', 'wanted'), [
    ('/hall/synced', 'synced', True), ('/yard/synced', 'synced', False),
    ('/hall/twins/ann/imu', 'twin_imu', True), ('/hall/twins/bob/imu', 'twin_imu', False),
    ('/hall/twins/hall_position_2/phones/ann/ftm', 'virtual_ftm', True),
    ('/hall/twins/hall_position_2/phones/bob/ftm', 'virtual_ftm', False),
    ('/hall/twins/hall_position_3/phones/ann/ftm', 'virtual_ftm', False),
    ('/hall/twins/hall_trajectory_2/camera/tracks', 'virtual_camera', True),
    ('/hall/camera/tracks', 'boxes', False)])
def test_only_topics_about_the_chosen_person_are_wanted(name, kind, wanted, signals):
    assert signals.wants(topic(name, kind)) is wanted
    assert not PersonSignals().wants(topic(name, kind))


def test_measured_and_synthesized_values_are_kept_apart(signals, say):
    signals.receive(topic('/hall/synced', 'synced'), [say.synced(1.0, ('ann', 'bob'))])
    signals.receive(topic('/hall/twins/hall_position_2/phones/ann/ftm', 'virtual_ftm'),
                    [say.range(1.0, 4.0)])
    signals.receive(topic('/hall/twins/hall_trajectory_2/camera/tracks', 'virtual_camera'),
                    [say.boxes('virtual_camera', 1.0, ('ann', 'bob'), 7.0)])
    signals.receive(topic('/hall/twins/ann/imu', 'twin_imu'), [say.imu(1.0, (1.0, 2.0, 3.0))])
    found = {modality: tuple(line[-1] for line in signals.history.lines(modality, channel)[1:])
             for modality, channel in (('ftm', 0), ('camera', 2), ('imu', 1))}
    assert found == {'ftm': (5.5, 4.0), 'camera': (6.0, 7.0), 'imu': (1.0, 2.0)}
    assert signals.newest_ranges() == {MEASURED_RGB: 5.5, SYNTHESIZED_RGB: 4.0}


def test_what_was_not_measured_is_no_value(signals, say):
    signals.receive(topic('/hall/synced', 'synced'), [say.synced(1.0, ('ann',), seen=False)])
    assert not np.isfinite(signals.history.lines('camera', 2)[1]).any()


def test_another_person_begins_with_an_empty_history(signals, say):
    signals.receive(topic('/hall/synced', 'synced'), [say.synced(1.0, ('ann', 'bob'))])
    signals.choose('/hall', 'bob', TWINS)
    assert not np.isfinite(signals.history.lines('ftm', 0)[1]).any()

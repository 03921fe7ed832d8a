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

"""A session reads what is shown, and nothing while nobody looks."""

from types import SimpleNamespace

import numpy as np
import pytest

from utt_ros.types import NS_PER_S
from utt_ros.view.person_signals import TWIN_ITSELF
from utt_ros.view.recorded_scene import RecordedScene
from utt_ros.view.scene_source import Playback, describe_source
from utt_ros.view.shown_topics import PATTERNS, match_topic
from utt_ros.view.view_choices import ViewChoices
from utt_ros.view.view_session import ViewSession, run_session

TYPES = {kind: type_ for kind, type_, _ in PATTERNS}
NAMES = {
    'status': '/hall/twin_status', 'position': '/hall/twins/ann/position',
    'outline': '/hall/markers', 'synced': '/hall/synced', 'boxes': '/hall/camera/tracks',
    'image': '/hall/camera/image_raw', 'twin_imu': '/hall/twins/ann/imu',
    'virtual_ftm': '/hall/twins/hall_position_2/phones/ann/ftm',
    'virtual_camera': '/hall/twins/hall_trajectory_2/camera/tracks', 'rounds': '/utt/rounds'}
TOPICS = {kind: match_topic(name, (TYPES[kind],)) for kind, name in NAMES.items()}


class LiveSource:
    """Area whose topics are delivered as they are wanted."""

    playback = None

    def __init__(self, say):
        self.wanted = set()
        self._messages = {
            'status': say.status(0.0, {'ann': 'camera'}), 'outline': say.outline(0.0),
            'position': say.position(0.0, 3.0, 1.0)}
        self.task_twins = say.twins('hall', {
            'hall_position': ('position', ['ftm'], [], np.nan),
            'hall_position_2': ('position', ['imu'], ['hall_position'], 0.5)})

    def advance(self, scene, wants, now_ns):
        scene.now_ns = now_ns
        self.wanted = {kind for kind, topic in TOPICS.items() if wants(topic)}
        for kind in ('status', 'position', 'outline'):
            if kind in self.wanted:
                scene.receive(TOPICS[kind], [self._messages[kind]])
        if self.wanted:
            scene.receive(match_topic('/utt/twins', (TYPES['twins'],)), [self.task_twins])


@pytest.fixture
def window():
    shown = SimpleNamespace(choices=ViewChoices(), watched=True, people=[])

    def show(_scene, people):
        shown.people = people

    shown.is_watched, shown.show = lambda: shown.watched, show
    return shown


@pytest.fixture
def live(say, window):
    source = LiveSource(say)
    return source, ViewSession(source, window)


def test_signals_and_pictures_are_read_only_while_they_are_shown(live, window):
    source, session = live
    for step in range(-1, 2):
        session.update(step * NS_PER_S // 10 + NS_PER_S)
    assert [person.name for person in window.people] == ['ann']
    assert source.wanted == {'status', 'position', 'rounds'}  # the outline is known by now
    window.choices.person, window.choices.signals = 'ann', True
    window.choices.camera = '/hall'
    for step in range(2, 5):
        session.update(step * NS_PER_S // 10 + NS_PER_S)
    assert source.wanted == {'status', 'position', 'rounds', 'synced', 'boxes', 'image',
                             'twin_imu', 'virtual_ftm'}
    assert session.scene.signals.twins == {'imu': TWIN_ITSELF, 'ftm': 'hall_position_2'}
    window.choices.signals = False
    for step in range(5, 7):
        session.update(step * NS_PER_S // 10 + NS_PER_S)
    assert 'synced' not in source.wanted


def test_nothing_is_read_while_nobody_looks(live, window):
    source, session = live
    session.update(1)
    assert source.wanted
    window.watched = False
    assert not session.update(2)
    assert not source.wanted


def test_bag_stands_still_while_nobody_looks(evening, window, steps):
    with RecordedScene(evening) as recorded:
        session = ViewSession(recorded, window)
        window.watched = False
        for _ in range(20):
            session.update(next(steps))
        assert recorded.playback.at_s == 0.0
        window.watched = True
        for _ in range(20):
            session.update(next(steps))
        assert 1.0 < recorded.playback.at_s < 2.1
    assert {person.name for person in window.people} == {'ann', 'bob'}
    assert 0.0 < session.costs_ms()[0] <= session.costs_ms()[1]


@pytest.mark.parametrize('person', ['ann', 'bob'])
@pytest.mark.parametrize('at_s', [3.0, 1e9])
def test_a_choice_shows_the_seconds_before_it_while_a_bag_stands_still(
    evening, window, steps, at_s, person,
):
    with RecordedScene(evening) as recorded:
        session, playback = ViewSession(recorded, window), recorded.playback
        playback.playing, playback.seek_s = False, at_s
        session.update(next(steps))
        moment_s = playback.at_s
        for name in ('bob' if person == 'ann' else 'ann', person):
            window.choices.person, window.choices.signals = name, True
            window.choices.camera = '/hall'
            for _ in range(2):
                session.update(next(steps))
        assert (playback.at_s, playback.playing) == (moment_s, False)
        assert session.scene.signals.subject == person
        assert np.isfinite(session.scene.signals.history.measured['camera'].newest(0))
        assert session.scene.picture.draw() is not None
        assert {each.name for each in window.people} == {'ann', 'bob'}


def test_a_choice_while_a_bag_runs_keeps_the_trails(evening, window, steps):
    with RecordedScene(evening) as recorded:
        session = ViewSession(recorded, window)
        for _ in range(30):
            session.update(next(steps))
        before = max(len(person.trail) for person in window.people)
        window.choices.person, window.choices.signals = 'ann', True
        for _ in range(3):
            assert session.update(next(steps))
            assert recorded.playback.seek_s is None
        assert max(len(person.trail) for person in window.people) >= before


def test_session_updates_ten_times_a_second_until_it_is_over(live):
    source, session = live
    clock, waits = [0], []

    def wait(seconds):
        waits.append(seconds)
        clock[0] += round(seconds * 1e9)

    run_session(session, lambda: len(waits) == 5, wait, lambda: clock[0])
    assert waits == pytest.approx([0.1] * 5)
    assert source.wanted


def test_title_tells_the_time_of_a_bag():
    assert describe_source(None) == 'live'
    assert describe_source(Playback(12.0, at_s=3.0, speed=2.0)) == '3.0 of 12.0 s  x2'

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

"""Bags: time runs at a speed, stands still, and is moved."""

import numpy as np
import pytest

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_io import write_bag
from utt_ros.sessions.bag_streams import BagStream
from utt_ros.types import NS_PER_S
from utt_ros.view import recorded_scene as module
from utt_ros.view.recorded_scene import RecordedScene
from utt_ros.view.scene import Scene

MOTION = frozenset({'status', 'position', 'future', 'truth'})


def wants(topic):
    return topic.kind in MOTION


def run(recorded, scene, steps, count):
    for _ in range(count):
        recorded.advance(scene, wants, next(steps))


@pytest.fixture
def recorded(evening):
    with RecordedScene(evening) as opened:
        yield opened


def places(scene):
    return {person.name: person.position[0] for person in scene.people()}


def test_people_walk_while_time_runs(recorded, steps):
    scene = Scene()
    run(recorded, scene, steps, 11)
    before = places(scene)
    run(recorded, scene, steps, 20)
    after = places(scene)
    assert set(before) == {'ann', 'bob'}
    assert {name: after[name] - before[name] for name in before} == pytest.approx(
        {'ann': 1.0, 'bob': 1.0}, abs=0.06)
    assert recorded.playback.at_s == pytest.approx(3.0)
    assert scene.areas['/hall'].outline is not None
    assert not scene.refused


def test_speed_and_pause(recorded, steps):
    scene = Scene()
    recorded.playback.speed = 4.0
    run(recorded, scene, steps, 11)
    assert recorded.playback.at_s == pytest.approx(4.0)
    recorded.playback.playing = False
    run(recorded, scene, steps, 5)
    assert recorded.playback.at_s == pytest.approx(4.0)


def test_a_jump_shows_the_moment_with_trails(recorded, steps):
    scene = Scene()
    run(recorded, scene, steps, 2)
    recorded.playback.playing = False
    for at_s in (9.0, 5.0, 0.0):
        recorded.playback.seek_s = at_s
        run(recorded, scene, steps, 1)
        assert recorded.playback.at_s == pytest.approx(at_s)
        assert places(scene)['ann'] == pytest.approx(3.0 + 0.5 * at_s, abs=0.06)
        assert len(scene.people()[0].trail) > (10 if at_s else 0)
    assert scene.federation.operations == {'hall': {'transfer:ftm->imu': pytest.approx(0.9)}}


def test_time_ends_with_the_bag(recorded, steps):
    scene = Scene()
    recorded.playback.seek_s = 1e9
    run(recorded, scene, steps, 1)
    run(recorded, scene, steps, 1)
    assert not recorded.playback.playing
    assert recorded.playback.at_s == pytest.approx(recorded.playback.length_s)


def test_a_long_pause_of_the_viewer_is_no_time_of_the_bag(recorded):
    scene = Scene()
    recorded.advance(scene, wants, NS_PER_S)
    recorded.advance(scene, wants, 3600 * NS_PER_S)
    assert recorded.playback.at_s <= 0.5


def test_a_step_takes_a_bounded_number_of_messages(recorded, steps, monkeypatch):
    monkeypatch.setattr(module, 'MAX_STEP_MESSAGES', 7)
    scene = Scene()
    recorded.playback.speed = 16.0
    run(recorded, scene, steps, 6)
    assert 0.0 < recorded.playback.at_s < 2.0


def test_measurements_alone_show_true_positions_in_the_area_beside_them(tmp_path, say, steps):
    stamps = np.arange(20) * NS_PER_S // 10 + 10**18
    truths = BagStream('/hall/truth/ann/odom', 'nav_msgs/msg/Odometry', True, stamps,
                       [say.truth(0.1 * row, 4.0, 0.1 * row) for row in range(20)])
    write_bag(tmp_path / 'hall' / '000', [truths], {})
    (tmp_path / 'hall' / 'area.yaml').write_text(
        '/**:\n  ros__parameters:\n    area: hall\n    ap_position: [1.0, 2.0, 3.0]\n')
    scene = Scene()
    with RecordedScene(tmp_path / 'hall' / '000') as opened:
        run(opened, scene, steps, 10)
    assert scene.areas['/hall'].outline.access_points.tolist() == [[1.0, 2.0, 3.0]]
    assert places(scene) == {'ann': 4.0}


def test_a_bag_without_anything_to_show_is_refused(tmp_path, say):
    stamps = np.array([10**18])
    write_bag(tmp_path / 'none', [BagStream(
        '/hall/phones/ann/imu/data_raw', 'sensor_msgs/msg/Imu', False, stamps,
        [say.imu(0.0, (0.0, 0.0, 9.8))])], {})
    with pytest.raises(SessionError, match='nothing in it can be shown'):
        RecordedScene(tmp_path / 'none')
    with pytest.raises(SessionError):
        RecordedScene(tmp_path / 'absent')

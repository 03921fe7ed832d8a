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

"""Offline training and live serving get the same samples and windows, bit by bit."""

from pathlib import Path

import numpy as np
import pytest
from utt_ros.msg import SyncedSamples

from utt_ros.association.associator import make_associator
from utt_ros.bridge.messages.sensors import samples_from_message
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.evaluation.association.label_removal import remove_session_labels
from utt_ros.sessions.session_bags import read_area, read_session, write_area, write_session
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.window_buffer import WindowBuffer, cut_windows
from utt_ros.types import FURTHER_FTM, SyncedBatch

AREAS = {'area0': ('camera', 'ftm', 'imu'), 'area1': ('ftm', 'imu')}
SHAPE = WindowSettings()
RATE = 2.5


@pytest.fixture
def bags(tmp_path: Path) -> dict[str, Path]:
    """Ten seconds of an area with a camera and of one without, which has three access points."""
    found = {}
    several = plan_sessions(2, 0.5, seed=5, without_camera=['area1'], access_points=3)
    for planned in (*plan_sessions(1, 0.5, seed=5), *several):
        area = planned.area.settings
        if area.area not in found:
            write_area(area, tmp_path / area.area)
            write_session(simulate_session(planned), area, tmp_path / area.area / planned.name)
            found[area.area] = tmp_path / area.area / planned.name
    return found


def bits(record):
    """All fields of a record, arrays as type, shape and bytes."""
    fields = []
    for name in type(record).__slots__:
        value = getattr(record, name)
        arrays = value if isinstance(value, dict) else {'': value}
        fields.append([
            (key, each.dtype, each.shape, each.tobytes()) if isinstance(each, np.ndarray) else each
            for key, each in sorted(arrays.items())])
    return fields


def windows_of(batches):
    """Windows as a twin makes them, at every tick that has a whole window behind it."""
    history = WindowBuffer(SHAPE.ticks, SHAPE.imu_rows, SHAPE.period)
    for batch in batches:
        history.push(batch)
        if history.length == SHAPE.ticks and batch.subjects:
            yield history.windows()


@pytest.mark.timeout(90)
@pytest.mark.parametrize('method', ['vifi', 'fused'])
def test_matches_of_tracks_without_labels_are_bit_identical(
    tmp_path, start_node, listener, wait_until, method
):
    planned = plan_sessions(1, 0.5, seed=5)[0]
    area = planned.area.settings
    bag = tmp_path / area.area / planned.name
    write_area(area, tmp_path / area.area)
    write_session(remove_session_labels(simulate_session(planned))[0], area, bag)
    live = listener.hear(SyncedSamples, f'/{area.area}/synced', RELIABLE)
    start_node('sync', '--ros-args', '-r', f'__ns:=/{area.area}', '--params-file',
               bag.parent / 'area.yaml', '-p', f'association:={method}')
    wait_until(lambda: listener.node.count_publishers(f'/{area.area}/synced'), 30.0, listener.spin)
    start_node('player', bag, '--rate', RATE, '--wait-subscribers', 20, '--ros-args',
               '-r', f'__ns:=/{area.area}')
    associator = make_associator(SyncSettings(association=method), area, SHAPE)
    offline = list(synchronize(
        read_session(bag), SyncSettings(association=method), windows=SHAPE,
        associator=associator))
    wait_until(lambda: len(live) >= len(offline), 40.0, listener.spin)
    batches = [samples_from_message(message) for message in live]
    assert max(batch.association.max(initial=0.0) for batch in batches) > 0.9
    assert [bits(batch) for batch in batches] == [bits(batch) for batch in offline]


@pytest.mark.timeout(90)
def test_replayed_session_gives_bit_identical_samples_and_windows(
    bags, start_node, listener, wait_until
):
    live: dict[str, list[SyncedBatch]] = {}
    for name in AREAS:
        live[name] = listener.hear(SyncedSamples, f'/{name}/synced', RELIABLE)
        start_node('sync', '--ros-args', '-r', f'__ns:=/{name}', '--params-file',
                   bags[name].parent / 'area.yaml')
    wait_until(lambda: all(listener.node.count_publishers(f'/{name}/synced') for name in AREAS),
               30.0, listener.spin)
    players = [
        start_node('player', bag, '--rate', RATE, '--wait-subscribers', 20, '--ros-args',
                   '-r', f'__ns:=/{name}', '-r', f'/clock:=/{name}/clock')
        for name, bag in bags.items()]
    offline = {
        name: list(synchronize(read_session(bag), modalities=AREAS[name], windows=SHAPE,
                               access_points=read_area(bag.parent).ap_addresses))
        for name, bag in bags.items()}

    def all_arrived():
        return all(len(live[name]) >= len(offline[name]) for name in AREAS)

    wait_until(lambda: all(player.process.poll() is not None for player in players),
               40.0, listener.spin)
    wait_until(all_arrived, 30.0, listener.spin)
    for name, modalities in AREAS.items():
        batches = [samples_from_message(message) for message in live[name]]
        assert len(batches) > 90
        assert any(batch.imu_mask.any() for batch in batches)
        assert any(batch.ftm_mask.any() for batch in batches)
        further = np.array([batch.further_ftm_mask.any(0) for batch in batches])
        assert further.any(0).tolist() == [True, True] * (name == 'area1')
        assert any(batch.camera_mask.any() for batch in batches) == ('camera' in modalities)
        assert [bits(batch) for batch in batches] == [bits(batch) for batch in offline[name]]
        cut = list(cut_windows(offline[name], SHAPE, SHAPE.ticks, stride=1))
        assert len(cut) > 60
        assert any(FURTHER_FTM in each.values for each in cut) == (name == 'area1')
        assert [bits(each) for each in windows_of(batches)] == [bits(each) for each in cut]

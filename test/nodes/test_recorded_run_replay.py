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

"""A recording of a live run, replayed into live nodes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Imu
from utt_ros.msg import SyncedSamples

from utt_ros.bridge.messages.sensors import samples_from_message
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import LaunchPlan, read_area_plan
from utt_ros.orchestration.replayed_areas import with_recordings
from utt_ros.sessions.bag_io import write_bag
from utt_ros.sessions.bag_streams import BagStream, session_streams
from utt_ros.sessions.session_bags import read_session, write_area
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.types import NS_PER_S

LOOK_SEC = 0.5  # between looks at the graph
OUTPUTS = {  # of the live nodes that were recorded
    'synced': 'utt_ros/msg/SyncedSamples', 'deployed_model': 'utt_ros/msg/DeployedModel',
    'twin_status': 'utt_ros/msg/TwinStatus', 'twins/ann/imu': 'sensor_msgs/msg/Imu',
    'twins/ann/position': 'geometry_msgs/msg/PoseWithCovarianceStamped'}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Ten seconds of an area, with outputs of its nodes and of the federation."""
    planned = plan_sessions(1, 0.5, seed=5)[0]
    area = planned.area.settings
    write_area(area, tmp_path)
    streams = session_streams(simulate_session(planned), area)
    stamps_ns = streams[0].stamps_ns[::5]
    topics = {**{f'/{area.area}/{name}': kind for name, kind in OUTPUTS.items()},
              '/utt/model': 'utt_ros/msg/GlobalModel', '/rosout': 'rcl_interfaces/msg/Log'}
    streams += [BagStream(topic, kind, True, stamps_ns, [bytes((0, 1, 0, 0))] * len(stamps_ns))
                for topic, kind in topics.items()]
    write_bag(tmp_path / 'evening', streams, {})
    return tmp_path / 'evening'


@pytest.mark.timeout(110)
def test_every_topic_has_one_publisher_and_no_measurement_is_lost(
    recording: Path, start_node: Callable[..., Any], listener: Any,
    wait_until: Callable[..., None],
) -> None:
    area = with_recordings(read_area_plan(recording.parent / 'area.yaml'), [recording])
    player = graph_nodes(replace(LaunchPlan((area,)), rate=2.5))[-1]
    live = listener.hear(SyncedSamples, f'{area.root}/synced', RELIABLE)
    offline = list(synchronize(read_session(recording), windows=WindowSettings()))
    session = read_session(recording)
    for phone in session.phones:  # as a recorder, which hears the phones before the synchronizer
        listener.hear(Imu, f'{area.root}/phones/{phone}/imu/data_raw', qos_profile_sensor_data)
    for name in ('sync', 'twin'):
        start_node(name, '--ros-args', '-r', f'__ns:={area.root}', '--params-file',
                   recording.parent / 'area.yaml', '-p', 'use_sim_time:=true')
    wait_until(lambda: listener.is_matched(f'{area.root}/synced'), 30.0, listener.spin)
    playing = start_node('player', *player.arguments, '--ros-args', '-r', f'__ns:={area.root}')
    publishers: dict[str, int] = {}
    looked_s = 0.0

    def look() -> None:
        nonlocal looked_s
        listener.spin()
        if monotonic() - looked_s < LOOK_SEC:  # or messages would overflow meanwhile
            return
        looked_s = monotonic()
        for topic, _ in listener.node.get_topic_names_and_types():
            if topic.startswith(f'{area.root}/') or topic == '/utt/model':
                count = listener.node.count_publishers(topic)
                publishers[topic] = max(count, publishers.get(topic, 0))

    wait_until(lambda: playing.process.poll() is not None, 80.0, look)
    wait_until(lambda: len(live) >= len(offline), 25.0, look)
    assert set(publishers.values()) <= {0, 1}
    assert not publishers.get('/utt/model')
    assert not publishers.get(f'{area.root}/deployed_model')
    assert publishers[f'{area.root}/synced'] == publishers[f'{area.root}/camera/tracks'] == 1
    batches = [samples_from_message(message) for message in live]
    stamps_s = np.array([batch.stamp_ns for batch in batches]) / NS_PER_S
    assert [batch.stamp_ns for batch in batches] == [batch.stamp_ns for batch in offline]
    assert len(batches) / (stamps_s[-1] - stamps_s[0]) == pytest.approx(10.0, abs=0.3)
    first = [sorted(batch.subjects) for batch in batches[:10]]
    assert first == [sorted(batch.subjects) for batch in offline[:10]]
    assert [bool(batch.imu_mask.any()) for batch in batches[:10]] == [
        bool(batch.imu_mask.any()) for batch in offline[:10]]
    playing.wait()
    assert f'left out of the replay, since nodes that publish such topics run: /{area.name}/' in (
        playing.said)

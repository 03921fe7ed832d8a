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

"""Recorded messages of a live demonstration, compared with a known world."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.demo.live_scores import LiveSession, live_summary, to_host_clock
from utt_ros.demo.summary_table import live_table
from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.simulator.live_world import boxes_by_name, live_session_plan, phone_clock
from utt_ros.sessions.simulator.world import START_NS, simulate_session

BEGIN_NS = 1_800_000_000_000_000_000
LATE_NS = 25_000_000
WRONG_EVERY = 4  # in every fourth frame all phones are matched to the wrong people
POSE = 'geometry_msgs/msg/PoseWithCovarianceStamped'


@pytest.fixture(scope='module')
def live() -> LiveSession:
    planned = live_session_plan(0, 20.0)
    return LiveSession(planned.area.settings, simulate_session(planned), START_NS, BEGIN_NS, 0)


class Recorder:
    """Writes messages as the recorder does."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._types = writer, typestore()
        self._topics: dict[str, Any] = {}

    def make(self, kind: str, **fields: Any) -> Any:
        return self._types.types[kind](**fields)

    def header(self, stamp_ns: int) -> Any:
        time = self.make('builtin_interfaces/msg/Time', sec=stamp_ns // 10**9,
                         nanosec=stamp_ns % 10**9)
        return self.make('std_msgs/msg/Header', stamp=time, frame_id='area0')

    def write(self, topic: str, kind: str, stamp_ns: int, **fields: Any) -> None:
        if topic not in self._topics:
            self._topics[topic] = self._writer.add_connection(topic, kind, typestore=self._types)
        message = self.make(kind, header=self.header(stamp_ns), **fields)
        self._writer.write(self._topics[topic], stamp_ns + LATE_NS,
                           self._types.serialize_cdr(message, kind))


def write_frame(recorder: Recorder, live: LiveSession, number: int, stamp_ns: int) -> None:
    boxes = boxes_by_name(live.area, live.session, live.at(stamp_ns))
    tracks = [recorder.make('utt_ros/msg/Track', track_id=name, subject='', center_x=box[0],
                         center_y=box[1], depth=box[2], width=box[3], height=box[4],
                         confidence=1.0) for name, box in boxes.items()]
    recorder.write('/area0/camera/tracks', 'utt_ros/msg/Tracks', stamp_ns, tracks=tracks)
    names, count = sorted(boxes), len(boxes)
    shown = names[1:] + names[:1] if number % WRONG_EVERY == 0 else names
    nothing = np.zeros(0, np.float32)
    recorder.write(
        '/area0/synced', 'utt_ros/msg/SyncedSamples', stamp_ns, epoch=0, sequence=number,
        camera_tick=True, subjects=names, track_ids=shown,
        association=np.ones(count, np.float32),
        camera=np.array([boxes[name] for name in shown], np.float32).ravel(),
        camera_mask=np.ones(count, np.uint8), ftm=nothing, ftm_age=nothing,
        ftm_mask=np.zeros(0, np.uint8), further_aps=0, further_ftm=nothing,
        further_ftm_age=nothing, further_ftm_mask=np.zeros(0, np.uint8), imu_rows=5, imu=nothing,
        imu_mask=np.zeros(0, np.uint8))


def write_position(recorder: Recorder, name: str, stamp_ns: int, place: np.ndarray) -> None:
    point = recorder.make('geometry_msgs/msg/Point', x=place[0] + 0.3, y=place[1] + 0.4, z=0.0)
    turn = recorder.make('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=0.0, w=1.0)
    inner = recorder.make('geometry_msgs/msg/Pose', position=point, orientation=turn)
    covariance = np.zeros(36)
    covariance[[0, 7]] = 1.0
    recorder.write(f'/area0/twins/{name}/position', POSE, stamp_ns, pose=recorder.make(
        'geometry_msgs/msg/PoseWithCovariance', pose=inner, covariance=covariance))


def write_diagnostics(recorder: Recorder, live: LiveSession, stamp_ns: int) -> None:
    gone_s = (stamp_ns - BEGIN_NS) / 1e9
    clock = phone_clock('walker1', live.seed)
    offset_s = -clock.offset_s - clock.drift_ppm * 1e-6 * gone_s + 0.002
    values = {'source': 'sensor_logger', 'dropped': '0', 'reopened': '1', 'refused_late': '3',
              'refused_other': '0', 'walker1.offset_s': f'{offset_s:.6f}',
              'walker1.drift_ppm': f'{-clock.drift_ppm:.2f}'}
    pairs = [recorder.make('diagnostic_msgs/msg/KeyValue', key=key, value=value)
             for key, value in values.items()]
    recorder.write('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', stamp_ns, status=[
        recorder.make('diagnostic_msgs/msg/DiagnosticStatus', level=0, name='area0: imu',
                      message='', hardware_id='imu', values=pairs)])


@pytest.fixture(scope='module')
def found(live: LiveSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    bag: Path = tmp_path_factory.mktemp('live') / 'heard'
    with Writer(bag, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        recorder = Recorder(writer)
        truth = to_host_clock(live).truth['walker1']
        for number, stamp_ns in enumerate(truth.stamps_ns[:100].tolist()):
            write_frame(recorder, live, number, stamp_ns)
            write_position(recorder, 'walker1', stamp_ns, truth.positions_m[number])
        write_diagnostics(recorder, live, stamp_ns)
    return live_summary(bag, live)


def test_identity_counts_boxes_matched_to_their_owner(found: dict[str, Any]) -> None:
    who = found['identity']
    assert who['given'] == who['tracked'] > 100
    assert who['right'] / who['given'] == pytest.approx(1 - 1 / WRONG_EVERY, abs=0.1)
    assert who['idp'] == who['right_of_given']


def test_position_errors_and_delays_are_measured(found: dict[str, Any]) -> None:
    medians = [each['median'] for each in found['position_error_m'].values() if each]
    assert medians == pytest.approx([0.5] * len(medians), abs=1e-6)
    assert found['latency_ms']['p99'] == pytest.approx(LATE_NS / 1e6)
    tracks = found['streams']['camera/tracks']
    assert tracks['heard'] == 100
    assert tracks['rate_hz'] == pytest.approx(10.0)
    assert tracks['late_ms'] == pytest.approx(LATE_NS / 1e6)
    assert found['streams']['phones/walker1/ftm']['heard'] == 0


def test_clock_error_is_measured(found: dict[str, Any]) -> None:
    clock = found['clocks']['walker1 imu']
    assert clock['error_ms'] == pytest.approx(2.0, abs=0.01)
    assert clock['drift_ppm'] == pytest.approx(clock['true_ppm'], abs=0.01)
    assert found['drivers']['imu'] == {
        'source': 'sensor_logger', 'dropped': 0, 'reopened': 1, 'refused': {'late': 3}}


def test_table_shows_every_part(found: dict[str, Any]) -> None:
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    table = live_table(found)
    for part in ('camera/tracks', 'late 3', 'walker1 imu', 'IDP', 'median', 'p99 25 ms'):
        assert part in table

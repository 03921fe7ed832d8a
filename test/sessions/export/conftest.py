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

"""A small recorded run: measurements, positions of a twin, people and reports."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from utt_ros import cdr
from utt_ros.sessions.bag_io import write_bag
from utt_ros.sessions.bag_streams import BagStream, session_streams
from utt_ros.sessions.message_types import typestore
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S, Frames, GroundTruth, PhoneStreams, Session

STAMPS_NS = 1_700_000_000 * NS_PER_S + np.arange(4) * 100_000_000
TWIN_STATUS = 'utt_ros/msg/TwinStatus'
HALL = AreaSettings(area='hall', map_pose=(10.0, 20.0, np.pi / 2))


def small_session() -> Session:
    """Return a session of one person with four samples of everything."""
    ones = np.ones(4)
    phone = PhoneStreams(
        ftm_stamps_ns=STAMPS_NS, ftm=np.stack([np.arange(4) + 0.1, ones * 0.5], 1).astype('f4'),
        inertial_stamps_ns=STAMPS_NS, inertial=np.arange(24.0).reshape(4, 6).astype('f4'),
        magnetic_stamps_ns=STAMPS_NS, magnetic=np.full((4, 3), 2e-5, 'f4'),
        ap='02:00:00:00:00:01')
    frames = Frames(STAMPS_NS, np.array([0, 1, 1, 3, 3]), np.array(
        [[1, 2, np.nan, 4, 5], [6, 7, 8, 9, 10], [1, 1, 1, 1, 1]], np.float32),
        ('ann', '', 'ann'), ('7', '8', '7'))
    truth = GroundTruth(STAMPS_NS, np.stack([np.arange(4.0), ones], 1), ones * 0.25)
    return Session('hall', 'one', '', frames, {'ann': phone}, {'ann': truth})


def message(kind: str, **values: Any) -> Any:
    return typestore().types[kind](**values)


def header(stamp_ns: int, frame: str = 'hall') -> Any:
    stamp = message('builtin_interfaces/msg/Time', sec=stamp_ns // NS_PER_S,
                    nanosec=stamp_ns % NS_PER_S)
    return message('std_msgs/msg/Header', stamp=stamp, frame_id=frame)


def stream(topic: str, kind: str, messages: list[Any]) -> BagStream:
    serialized = [bytes(typestore().serialize_cdr(each, kind)) for each in messages]
    return BagStream(topic, kind, True, STAMPS_NS[:len(messages)], serialized)


def positions() -> BagStream:
    rows, numbers = cdr.new_messages(cdr.POSE, ['hall'], STAMPS_NS)
    numbers['position'][:, :2] = [[1, 2], [1, 3], [1, 4], [1, 5]]
    numbers['covariance'][:, [0, 1, 6, 7]] = [0.25, 0.125, 0.125, 0.5]
    return BagStream('/hall/twins/ann/position', cdr.POSE.type, True, STAMPS_NS,
                     [row.tobytes() for row in rows])


def people() -> BagStream:
    kind = 'utt_ros/msg/People'
    person = message('utt_ros/msg/Person', stamp=header(int(STAMPS_NS[0])).stamp, id='ann',
                     area='hall', areas=['hall', 'stairs'], sources=['imu', 'imu'], x=1.5, y=2.5,
                     z=0.0, covariance=np.array([1.0, 0.5, 0.5, 2.0]), age=0.1)
    return stream('/utt/people', kind, [
        message(kind, header=header(int(STAMPS_NS[0]), 'map'), people=[person]),
        message(kind, header=header(int(STAMPS_NS[1]), 'map'), people=[])])


def status() -> BagStream:
    return stream('/hall/twin_status', TWIN_STATUS, [message(
        TWIN_STATUS, header=header(int(STAMPS_NS[0])), area='hall',
        map_pose=np.array([10.0, 20.0, 0.0, np.pi / 2]), round=3, model_ready=True,
        modalities=['imu'], missing=[], subjects=['ann'], sources=['imu'],
        position_std=np.array([0.5], np.float32), ticks=40, ticks_lost=1, predictions=39,
        compute_p50=1.5, compute_p99=2.5, note='all, "well"')])


def reports() -> BagStream:
    kind = 'utt_ros/msg/TrainingMetrics'
    return stream('/hall/training_metrics', kind, [message(
        kind, header=header(int(STAMPS_NS[0])), area='hall', round=2, windows=80, held_out=20,
        steps=4, loss=0.5, operations=['merge:ftm+imu->camera', 'transfer:ftm->imu'],
        nmse_var=np.array([0.1, np.nan], np.float32),
        modalities=['ftm', 'imu'], gate_weights=np.array([0.4, 0.7], np.float32))])


def paths() -> BagStream:
    kind = 'nav_msgs/msg/Path'
    pose = typestore().types['geometry_msgs/msg/Pose'](
        position=message('geometry_msgs/msg/Point', x=1.0, y=2.0, z=0.0),
        orientation=message('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=0.0, w=1.0))
    poses = [message('geometry_msgs/msg/PoseStamped', header=header(int(STAMPS_NS[0]) + ahead),
                     pose=pose) for ahead in (100_000_000, 200_000_000)]
    return stream('/hall/twins/ann/trajectory', kind, [
        message(kind, header=header(int(STAMPS_NS[0])), poses=poses)])


def all_streams() -> list[BagStream]:
    return [*session_streams(small_session(), HALL), positions(), people(), reports(), paths(),
            status()]


@pytest.fixture
def messages() -> dict[str, list[bytes]]:
    """Return the messages of the run by topic, without the name of the area."""
    return {each.topic.removeprefix('/hall/'): [bytes(message) for message in each.messages]
            for each in all_streams()}


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a recorded run, below a folder; without status the poses of areas are not known."""
    def make(name: str = 'evening', *, reported: bool = True) -> Path:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_bag(tmp_path / name, [
            each for each in all_streams() if reported or each.type != TWIN_STATUS], {})
        return tmp_path / name
    return make

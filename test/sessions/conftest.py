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

"""A small session in which every field has a value of its own, and what a bag holds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from utt_ros.sessions.bag_io import LoggedMessage, open_bag
from utt_ros.sessions.message_types import message_folder
from utt_ros.sessions.session_bags import write_session
from utt_ros.settings import AreaSettings
from utt_ros.types import Frames, GroundTruth, PhoneStreams, Session

START_NS = 1_700_000_000_123_456_789


def phone_streams(rng: np.random.Generator, ranges: int = 9) -> PhoneStreams:
    return PhoneStreams(
        ftm_stamps_ns=START_NS + np.arange(ranges) * 333_000_001,
        ftm=rng.normal(5, 2, (ranges, 2)).astype(np.float32),
        inertial_stamps_ns=START_NS + np.arange(150) * 20_000_003,
        inertial=rng.normal(0, 3, (150, 6)).astype(np.float32),
        magnetic_stamps_ns=START_NS + 7 + np.arange(140) * 20_000_003,
        magnetic=rng.normal(0, 4e-5, (140, 3)).astype(np.float32),
        ftm_signal=np.c_[rng.uniform(-90, -40, ranges), np.full(ranges, 8), np.full(ranges, 7)]
        .astype(np.float32),
        ap='02:00:00:00:00:01')


@pytest.fixture
def session(rng: np.random.Generator) -> Session:
    counts = [0, 2, 1, 0, 3]
    boxes = rng.uniform(1, 700, (6, 5)).astype(np.float32)
    boxes[3, 2] = np.nan
    frames = Frames(
        stamps_ns=START_NS + np.arange(5) * 100_000_000,
        starts=np.cumsum([0, *counts]),
        boxes=boxes,
        subjects=('anna', '', 'ben', 'anna', 'ben', ''),
        track_ids=('t1', 't23', 't4', 't1', 't4', 't567'))
    truth = GroundTruth(
        stamps_ns=START_NS + np.arange(20) * 100_000_000,
        positions_m=rng.uniform(-5, 15, (20, 2)),
        headings_rad=rng.uniform(-3.1, 3.1, 20))
    phones = {'anna': phone_streams(rng), 'ben': phone_streams(rng, ranges=0)}
    return Session('hall', 'first', 'val', frames, phones, {'anna': truth})


@pytest.fixture
def area() -> AreaSettings:
    return AreaSettings(area='hall', magnetic_yaw=0.5)


@pytest.fixture
def bag(session: Session, area: AreaSettings, tmp_path: Path) -> Path:
    path = tmp_path / 'sessions' / 'hall' / 'first'
    write_session(session, area, path)
    return path


@pytest.fixture
def contents() -> Callable[..., list[LoggedMessage]]:
    """Messages of a bag, of some topics or all, as `open_bag` reads them."""
    def read(bag: Path, topics: set[str] | None = None) -> list[LoggedMessage]:
        with open_bag(bag) as opened:
            names = topics or {topic.name for topic in opened.topics}
            return list(opened.messages(names, opened.start_ns, opened.end_ns))

    return read


@pytest.fixture
def stored() -> Callable[[Path], list[tuple[str, str, int, bytes]]]:
    """Topic, type, log time and data of the messages of a bag, as rosbags reads them."""
    def read(bag: Path) -> list[tuple[str, str, int, bytes]]:
        with Reader(bag) as reader:
            return [(connection.topic, connection.msgtype, stamp, data)
                    for connection, stamp, data in reader.messages()]

    return read


@pytest.fixture
def older_metrics() -> tuple[Typestore, bytes]:
    """Serialize a report of training by the definition before gates were added."""
    kind = 'utt_ros/msg/TrainingMetrics'
    older = get_typestore(Stores.ROS2_JAZZY)
    text = (message_folder() / 'TrainingMetrics.msg').read_text(encoding='utf-8')
    older.register(get_types_from_msg(text[:text.index('string[] modalities')], kind))
    types = older.types
    report = types[kind](
        types['std_msgs/msg/Header'](types['builtin_interfaces/msg/Time'](1, 2), ''), 'hall', 7,
        80, 20, 4, 0.5, ['a', 'bcd'], np.array([0.5, 0.25], np.float32))
    return older, bytes(older.serialize_cdr(report, kind))

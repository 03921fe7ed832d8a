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

"""Wire types of detections of packages that are not installed."""

from pathlib import Path

import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from utt_ros.drivers.camera.detection_messages import FORMATS
from utt_ros.sessions.bag_io import open_bag, write_bag
from utt_ros.sessions.bag_streams import BagStream
from utt_ros.sessions.detection_types import VISION_FOXY, VISION_GALACTIC, register_detections
from utt_ros.sessions.message_types import typestore


@pytest.mark.parametrize('kind', FORMATS)
def test_each_type_that_the_camera_reads_is_declared(kind: str) -> None:
    assert kind in typestore().fielddefs


@pytest.mark.parametrize('release', [VISION_FOXY, VISION_GALACTIC])
def test_former_releases_are_declared(release: dict[str, str]) -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    register_detections(store, release)
    assert 'vision_msgs/msg/Pose2D' in store.fielddefs or release is VISION_FOXY
    assert set(FORMATS) <= set(store.fielddefs)


@pytest.mark.parametrize('kind', FORMATS)
def test_a_bag_of_detections_carries_their_definition(kind: str, tmp_path: Path) -> None:
    store = typestore()
    header = store.types['std_msgs/msg/Header'](
        store.types['builtin_interfaces/msg/Time'](1, 0), 'camera')
    data = bytes(store.serialize_cdr(store.types[kind](header, []), kind))
    write_bag(tmp_path / 'bag', [BagStream(
        '/camera/detections', kind, True, np.array([10**9]), [data])], {})
    with open_bag(tmp_path / 'bag') as bag:
        (topic,) = bag.definitions()
    assert topic.type == kind
    assert 'std_msgs/Header header' in topic.text

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

"""A demonstration can be watched, and leaves a film."""

import urllib.request

import numpy as np
import pytest
from PIL import Image

from utt_ros.demo import demo_page as module
from utt_ros.demo.demo_page import demo_page, film_test
from utt_ros.sessions.bag_io import write_bag
from utt_ros.sessions.bag_streams import BagStream
from utt_ros.sessions.message_types import typestore
from utt_ros.settings import AreaSettings

T0 = 1_700_000_000_000_000_000
POSITION = 'geometry_msgs/msg/PoseWithCovarianceStamped'


def test_page_is_served_beside_a_demonstration_and_ends_with_it(tmp_path, ros_domain, wait_until):
    pytest.importorskip('viser', reason='viser is not installed')

    def answers():
        try:
            with urllib.request.urlopen(address, timeout=5.0) as page:
                return page.status == 200
        except OSError:
            return False

    with demo_page(tmp_path / 'log' / 'view.log') as address:
        assert address.startswith('http://127.0.0.1:')
        wait_until(answers, 60.0)
    assert not answers()


def test_without_viser_there_is_no_page(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'find_spec', lambda _: None)
    with demo_page(tmp_path / 'view.log') as address:
        assert address == ''


def test_film_shows_positions_in_their_areas(tmp_path):
    store = typestore()
    types = store.types

    def message(step):
        pose = types['geometry_msgs/msg/Pose'](
            types['geometry_msgs/msg/Point'](3.0 + 0.1 * step, 0.0, 0.0),
            types['geometry_msgs/msg/Quaternion'](0.0, 0.0, 0.0, 1.0))
        header = types['std_msgs/msg/Header'](
            types['builtin_interfaces/msg/Time'](1_700_000_000 + step // 10, 5), 'hall')
        covariance = np.diag([0.04] * 6).ravel()
        return bytes(store.serialize_cdr(types[POSITION](
            header, types['geometry_msgs/msg/PoseWithCovariance'](pose, covariance)), POSITION))

    write_bag(tmp_path / 'test', [BagStream(
        '/hall/twins/ann/position', POSITION, True, T0 + np.arange(50) * 100_000_000,
        [message(step) for step in range(50)])], {})
    film_test(tmp_path / 'demo.gif', tmp_path / 'test', [AreaSettings(area='hall')])
    with Image.open(tmp_path / 'demo.gif') as film:
        assert film.n_frames > 15

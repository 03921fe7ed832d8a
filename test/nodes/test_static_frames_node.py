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

"""Static frames as messages, and over DDS where tf2_msgs is installed."""

from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time

from utt_ros.bridge.node.qos import STATE
from utt_ros.nodes.static_frames_node import frame_to_message, quaternion
from utt_ros.orchestration.area_frames import StaticFrame, area_frames, frame_arguments
from utt_ros.settings import AreaSettings


@pytest.mark.parametrize('angles', [
    (0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.0, -0.7, 0.0), (0.0, 0.0, 2.0),
    (-pi / 2 - 0.2, 0.0, -pi / 2), (1.0, -0.4, 3.0)])
def test_quaternion_turns_as_the_angles_about_fixed_axes(angles: tuple[float, ...]) -> None:
    q = quaternion(*angles)
    (cr, sr), (cp, sp), (cy, sy) = ((np.cos(angle), np.sin(angle)) for angle in angles)
    expected = (np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
                @ np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
                @ np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]]))
    x, y, z, w = q.x, q.y, q.z, q.w
    turned = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])
    np.testing.assert_allclose(turned, expected, atol=1e-12)


def test_message_has_both_frames_and_the_position() -> None:
    message = frame_to_message(StaticFrame('hall', 'hall/ap', (1.0, -2.0, 3.0)), Time(sec=5))
    assert (message.header.frame_id, message.child_frame_id) == ('hall', 'hall/ap')
    assert message.header.stamp.sec == 5
    moved = message.transform.translation
    assert (moved.x, moved.y, moved.z, message.transform.rotation.w) == (1.0, -2.0, 3.0, 1.0)


def test_late_subscribers_get_the_frames_of_all_areas(
    start_node: Callable[..., Any], listener: Any, wait_until: Callable[..., None],
) -> None:
    kind = pytest.importorskip('tf2_msgs.msg', reason='tf2_msgs is not installed').TFMessage
    frames = [frame for name in ('hall', 'stairs')
              for frame in area_frames(AreaSettings(area=name))]
    start_node('static_frames', *frame_arguments(frames))
    wait_until(lambda: listener.node.count_publishers('/tf_static'), 30.0, listener.spin)
    heard = listener.hear(kind, '/tf_static', STATE)
    wait_until(lambda: heard, 30.0, listener.spin)
    assert [each.child_frame_id for each in heard[0].transforms] == [each.name for each in frames]

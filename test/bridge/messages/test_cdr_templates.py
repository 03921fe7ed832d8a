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

import numpy as np
import pytest
from geometry_msgs.msg import Vector3, Vector3Stamped
from rclpy.serialization import deserialize_message
from std_msgs.msg import Header

from utt_ros.bridge.messages.cdr_templates import CdrTemplate, Placeholders, fill_templates
from utt_ros.bridge.messages.predictions import path_template

T0 = 1_700_000_000_123_456_789


def vector_template(frame: str) -> CdrTemplate:
    placeholders = Placeholders()
    vector = Vector3(x=placeholders.number(0), y=placeholders.number(1), z=2.5)
    header = Header(stamp=placeholders.stamp(0), frame_id=frame)
    return CdrTemplate(Vector3Stamped(header=header, vector=vector), placeholders, 2, 1)


def test_filling_replaces_numbers_and_stamps_and_nothing_else():
    numbers, stamps_ns = np.arange(6.0).reshape(3, 2), T0 + np.arange(3)[:, None]
    for row, data in enumerate(vector_template('hall').fill(numbers, stamps_ns)):
        message = deserialize_message(data, Vector3Stamped)
        stamp = message.header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == T0 + row
        assert message.header.frame_id == 'hall'
        assert message.vector == Vector3(x=2.0 * row, y=2.0 * row + 1, z=2.5)


def test_templates_of_different_lengths_are_filled_together(rng):
    templates = [vector_template(frame) for frame in ('a', 'a_long_name', 'b')]
    numbers, stamps_ns = rng.normal(size=(3, 4, 2)), T0 + np.arange(4)[:, None]
    assert fill_templates(templates, numbers, stamps_ns) == [
        template.fill(rows, stamps_ns) for template, rows in zip(templates, numbers, strict=True)]


def test_placeholders_of_older_templates_in_padding_do_not_disturb_new_ones():
    for _ in range(50):
        for area in ('a', 'hall', 'hall1', 'a_much_longer_name'):
            path_template.__wrapped__(area, 30)


def test_template_requires_every_placeholder_once():
    placeholders = Placeholders()
    number, stamp = placeholders.number, placeholders.stamp
    with pytest.raises(ValueError, match='placeholder 1 is in the message 0 times'):
        CdrTemplate(Vector3(x=number(0)), placeholders, 2, 0)
    with pytest.raises(ValueError, match='placeholder 0 is in the message 2 times'):
        CdrTemplate(Vector3(x=number(0), y=number(0)), placeholders, 1, 0)
    with pytest.raises(ValueError, match='placeholder 0'):
        CdrTemplate(Header(stamp=stamp(1)), placeholders, 0, 1)

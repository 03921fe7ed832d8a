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

"""Publishers and subscriptions of sensor topics, whose QoS a parameter file can override.

`qos_overrides.<topic>.<publisher|subscription>.<reliability|depth|history>`, with the full name
of the topic, as in other packages.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from utt_ros.errors import SettingsError

MAX_OVERRIDABLE_TOPICS = 1024  # of a node; phones come and go under any name
_topics: WeakKeyDictionary[Node, set[str]] = WeakKeyDictionary()


def create_sensor_publisher(node: Node, kind: type, topic: str, qos: QoSProfile) -> Publisher:
    """Create a publisher. Raises SettingsError for an override that is no QoS."""
    with refused_qos(topic):
        return node.create_publisher(kind, topic, **_options(node, topic, qos))


def create_sensor_subscription(
    node: Node, kind: type, topic: str, callback: Callable[..., Any], qos: QoSProfile,
    **options: Any,
) -> Subscription:
    """Create a subscription. Raises SettingsError for an override that is no QoS."""
    with refused_qos(topic):
        return node.create_subscription(
            kind, topic, callback, **_options(node, topic, qos), **options)


def overridable(qos: QoSProfile) -> dict[str, Any]:
    """Return the arguments of `create_publisher` for a QoS that parameters override."""
    own = QoSProfile(  # rclpy writes overrides into the profile that it is given
        history=qos.history, depth=qos.depth, reliability=qos.reliability,
        durability=qos.durability)
    return {'qos_profile': own,
            'qos_overriding_options': QoSOverridingOptions.with_default_policies()}


def _options(node: Node, topic: str, qos: QoSProfile) -> dict[str, Any]:
    """Return `overridable` options for the first topics of a node: parameters stay declared."""
    known = _topics.setdefault(node, set())
    if topic not in known and len(known) >= MAX_OVERRIDABLE_TOPICS:
        return {'qos_profile': qos}
    known.add(topic)
    return overridable(qos)


@contextmanager
def refused_qos(topic: str) -> Iterator[None]:
    """Raise SettingsError where rclpy refuses an override with an error of many types."""
    try:
        yield
    except (ParameterException, AttributeError, RuntimeError, TypeError, ValueError) as err:
        raise SettingsError(f'QoS of {topic}: {err}') from err

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

"""QoS profiles of the package, explicit since a mismatch fails silently."""

from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
)

SENSOR = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=200,
    reliability=QoSReliabilityPolicy.BEST_EFFORT,
    durability=QoSDurabilityPolicy.VOLATILE,
)
"""Streams of measurements: a late sample is worth less than the next one."""

IMAGES = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=5,
    reliability=QoSReliabilityPolicy.BEST_EFFORT,
    durability=QoSDurabilityPolicy.VOLATILE,
)
"""As SENSOR, for messages of megabytes: a queue of 200 would fill the memory."""

RELIABLE = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=50,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.VOLATILE,
)
"""Streams of which no message may be lost."""

STATE = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
"""The newest value of a state, also for late subscribers."""

STATES = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=16,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
"""The newest values of a few states of one node."""

COLLECTED = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=200,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
"""Subscription to a state that several nodes publish with STATE: the newest of each."""


def collected_from(publishers: int) -> QoSProfile:
    """Return COLLECTED for so many publishers: none displaces another's, nor an earlier one."""
    return QoSProfile(
        history=COLLECTED.history, depth=max(COLLECTED.depth, 2 * publishers),
        reliability=COLLECTED.reliability, durability=COLLECTED.durability)


CONTESTED = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=4,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
"""Subscription to a signed STATE of large messages, which one of a stranger does not displace.

A reader that was stalled keeps the memory of as many messages as ever waited for it.
"""

CONTESTED_STATES = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=20,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
"""Subscription to signed STATES, all of which arrive at once, and a few of strangers."""

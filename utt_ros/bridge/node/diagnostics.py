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

"""Diagnostics of a node on /diagnostics, once a second."""

from collections.abc import Callable, Collection, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from utt_ros.bridge.node.qos import RELIABLE

MAX_TEXT_LENGTH = 1000
NO_HARDWARE = 'none'  # as diagnostic_updater has it
DIAGNOSTIC_LEVELS = {
    'ok': DiagnosticStatus.OK, 'warn': DiagnosticStatus.WARN, 'error': DiagnosticStatus.ERROR}


class Diagnostics:
    """Publisher of the mapping that `values` returns.

    Its optional entries 'level' (ok, warn, error) and 'message' become those of the status. The
    timer runs on the steady clock, so a paused bag does not silence the diagnostics.
    """

    def __init__(
        self, node: Node, name: str, values: Callable[[], Mapping[str, object]],
        hardware_id: str = NO_HARDWARE,
    ) -> None:
        """`hardware_id` names the device whose state is reported."""
        self._node, self._hardware_id = node, hardware_id
        self._name = f'{node.get_namespace().strip("/") or "utt"}: {name}'
        self._values = values
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', RELIABLE)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(1.0, self._publish, clock=steady)

    def _publish(self) -> None:
        values = dict(self._values())
        level, text = str(values.pop('level', 'ok')), _text(values.pop('message', ''))
        status = DiagnosticStatus(
            level=DIAGNOSTIC_LEVELS[level],
            name=self._name,
            message=text or ('' if level == 'ok' else counted(values)),
            hardware_id=self._hardware_id,
            values=[KeyValue(key=key, value=_text(value)) for key, value in values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)


def counted(values: Mapping[str, object]) -> str:
    """Return the counters that are not 0, the text of a warning that has none of its own."""
    return ', '.join(f'{name} {value}' for name, value in values.items()
                     if type(value) is int and value > 0)


class CounterAlarm:
    """Detector of counters that grew since the previous report; `harmless` ones do not warn."""

    def __init__(self, harmless: Collection[str]) -> None:
        self._harmless = harmless
        self._reported: dict[str, int] = {}

    def update(self, counters: Mapping[str, int]) -> tuple[list[str], list[str]]:
        """Return the names of all counters that grew, and of those that are not harmless."""
        grown = [name for name, count in counters.items() if count > self._reported.get(name, 0)]
        self._reported = dict(counters)
        return grown, [name for name in grown if name not in self._harmless]


def _text(value: object) -> str:
    """Bound the length and make the text valid UTF-8; error texts may quote foreign input."""
    return str(value)[:MAX_TEXT_LENGTH].encode('utf-8', 'replace').decode('utf-8')

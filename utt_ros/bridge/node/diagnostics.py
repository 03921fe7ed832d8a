"""A node's numbers on /diagnostics, once a second."""

from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from utt_ros.bridge.node.qos import RELIABLE

MAX_TEXT_LENGTH = 1000
DIAGNOSTIC_LEVELS = {
    'ok': DiagnosticStatus.OK, 'warn': DiagnosticStatus.WARN, 'error': DiagnosticStatus.ERROR}


class Diagnostics:
    """Publishes what `values` returns.

    Its optional entries 'level' (ok, warn, error) and 'message' say how it goes. The timer runs on
    the steady clock, so a paused bag does not silence the diagnostics.
    """

    def __init__(self, node: Node, name: str, values: Callable[[], Mapping[str, object]]) -> None:
        self._node = node
        self._name = f'{node.get_namespace().strip("/") or "utt"}: {name}'
        self._values = values
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', RELIABLE)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(1.0, self._publish, clock=steady)

    def _publish(self) -> None:
        values = dict(self._values())
        status = DiagnosticStatus(
            level=DIAGNOSTIC_LEVELS[str(values.pop('level', 'ok'))],
            name=self._name,
            message=_text(values.pop('message', '')),
            hardware_id=self._node.get_name(),
            values=[KeyValue(key=key, value=_text(value)) for key, value in values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)


def _text(value: object) -> str:
    """What a message can carry; strangers may have their part in an error's text."""
    return str(value)[:MAX_TEXT_LENGTH].encode('utf-8', 'replace').decode('utf-8')

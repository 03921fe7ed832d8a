"""Wait until the twins of some areas have a model; for scripts that start a replay afterwards."""

import argparse
import sys
import time
from collections.abc import Sequence

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from utt_ros.bridge.qos import RELIABLE
from utt_ros.msg import TwinStatus


class WaitReady(Node):
    """Listens to the status of each area's twin."""

    def __init__(self, areas: Sequence[str], least_round: int) -> None:
        super().__init__('wait_ready')
        self.waiting = set(areas)
        self._least_round = least_round
        for area in areas:
            self.create_subscription(TwinStatus, f'/{area}/twin_status', self._on_status, RELIABLE)

    def _on_status(self, status: TwinStatus) -> None:
        if status.model_ready and status.round >= self._least_round:
            self.waiting.discard(status.area)


def main(args: Sequence[str] | None = None) -> int:
    """Exit with 0 once every area is ready, with 1 when the time is over."""
    parser = argparse.ArgumentParser(prog='wait_ready', description=__doc__)
    parser.add_argument('areas', nargs='+', metavar='AREA')
    parser.add_argument('--round', type=int, default=0, help='least round of the model (default 0)')
    parser.add_argument('--timeout', type=float, default=120.0, help='seconds (default 120)')
    options = parser.parse_args(args)
    rclpy.init(args=[])
    node = WaitReady(options.areas, options.round)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    end = time.monotonic() + options.timeout
    while node.waiting and rclpy.ok() and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.2)
    if node.waiting:
        node.get_logger().error(
            f'no model of round {options.round} or later after {options.timeout:.0f} s in: '
            + ', '.join(sorted(node.waiting))
        )
    missing = bool(node.waiting)
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()
    return int(missing)


if __name__ == '__main__':
    sys.exit(main())

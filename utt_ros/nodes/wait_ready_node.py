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

"""Wait until the twins of the given areas have a model, so that a replay loses nothing."""

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from utt_ros.bridge.node.process import StopRequest, spin_until
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.msg import TwinStatus


class WaitReadyNode(Node):
    """Subscribes to the status of each area's twin."""

    def __init__(self, areas: Sequence[str], min_round: int) -> None:
        super().__init__('wait_ready')
        self.waiting = set(areas)
        self._min_round = min_round
        for area in areas:
            on_status = partial(self._on_status, area)
            self.create_subscription(TwinStatus, f'/{area}/twin_status', on_status, RELIABLE)

    def _on_status(self, area: str, status: TwinStatus) -> None:
        if status.model_ready and status.round >= self._min_round:
            self.waiting.discard(area)


def main(args: Sequence[str] | None = None) -> int:
    """Return 0 once every area is ready, 1 after the timeout."""
    parser = argparse.ArgumentParser(prog='wait_ready', description=__doc__)
    parser.add_argument('areas', nargs='+', metavar='AREA', help='namespace of an area')
    parser.add_argument('--round', type=int, default=0,
                        help='minimum round of the model (default 0)')
    parser.add_argument('--timeout', type=float, default=120.0, help='timeout [s] (default 120)')
    words = list(sys.argv if args is None else ['wait_ready', *args])
    parsed = parser.parse_args(remove_ros_args(words)[1:])
    stop = StopRequest()
    rclpy.init(args=words, signal_handler_options=SignalHandlerOptions.NO)
    node = WaitReadyNode(parsed.areas, parsed.round)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    end = time.monotonic() + parsed.timeout
    spin_until(executor, lambda: stop() or not node.waiting or time.monotonic() > end)
    if node.waiting and not stop():
        node.get_logger().error(
            f'no model of round {parsed.round} or later after {parsed.timeout:.0f} s in: '
            + ', '.join(sorted(node.waiting)))
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()
    return int(bool(node.waiting))


if __name__ == '__main__':
    sys.exit(main())

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

from rclpy.node import Node

from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.errors import UttError
from utt_ros.msg import TwinStatus


class WaitReadyNode(Node):
    """Subscribes to the status of each area's twin."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__('wait_ready')
        self.waiting = set(args.areas)
        self._min_round: int = args.round
        self._timeout_sec: float = args.timeout
        self._begin_s = time.monotonic()
        for area in args.areas:
            on_status = partial(self._on_status, area)
            self.create_subscription(TwinStatus, f'/{area}/twin_status', on_status, RELIABLE)

    def is_over(self) -> bool:
        """Return whether every twin is ready. Raises UttError after the timeout."""
        if self.waiting and time.monotonic() - self._begin_s > self._timeout_sec:
            raise UttError(
                f'no model of round {self._min_round} or later after {self._timeout_sec:.0f} s '
                f'in: {", ".join(sorted(self.waiting))}')
        return not self.waiting

    def _on_status(self, area: str, status: TwinStatus) -> None:
        if status.model_ready and status.round >= self._min_round:
            self.waiting.discard(area)


def main(args: Sequence[str] | None = None) -> int:
    """Return 0 once every area is ready, 1 after the timeout or a signal."""
    parser = argparse.ArgumentParser(prog='wait_ready', description=__doc__)
    parser.add_argument('areas', nargs='+', metavar='AREA', help='namespace of an area')
    parser.add_argument('--round', type=int, default=0,
                        help='minimum round of the model (default 0)')
    parser.add_argument('--timeout', type=float, default=120.0, help='timeout [s] (default 120)')
    created: list[WaitReadyNode] = []

    def make(given: argparse.Namespace) -> WaitReadyNode:
        created.append(WaitReadyNode(given))
        return created[0]

    code = run_node(make, args, WaitReadyNode.is_over, parser=parser)
    return code or int(bool(created[0].waiting))


if __name__ == '__main__':
    sys.exit(main())

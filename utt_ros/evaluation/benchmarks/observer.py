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

"""Observer of a benchmark: receive times of predictions, and diagnostics.

Messages are taken in batches, which loads the observed nodes little. Times are those of reception
by the DDS layer (CLOCK_REALTIME), not those of processing in Python.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path as NavPath
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import Imu

from utt_ros.bridge.node.process import StopRequest
from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.cdr import read_stamp
from utt_ros.evaluation.benchmarks.latency import OUTPUTS
from utt_ros.evaluation.benchmarks.load_messages import AREA, phone_names

POLL_SEC = 0.05
KINDS = {'imu': Imu, 'position': PoseWithCovarianceStamped, 'trajectory': NavPath}


class Observer:
    """Subscriber of every prediction of an area and of /diagnostics."""

    def __init__(self, node: Node, subjects: Sequence[str]) -> None:
        self._outputs = [
            (node.create_subscription(kind, f'twins/{subject}/{name}', _ignore, SENSOR, raw=True),
             kind, row, column)
            for row, subject in enumerate(subjects)
            for column, (name, kind) in enumerate((name, KINDS[name]) for name in OUTPUTS)]
        self._diagnostics = node.create_subscription(
            DiagnosticArray, '/diagnostics', _ignore, RELIABLE)
        self._missing = {(row, column) for _, _, row, column in self._outputs}
        self.records: list[tuple[int, int, int, int]] = []  # subject, output, stamp, received
        self.reports: list[tuple[int, str, dict[str, str]]] = []  # received, name, values

    def poll(self) -> bool:
        """Take received messages; return whether every subject has had every output."""
        for subscription, kind, row, column in self._outputs:
            for message, info in _take(subscription, kind, raw=True):
                self.records.append((row, column, read_stamp(message), info['received_timestamp']))
                self._missing.discard((row, column))
        for message, info in _take(self._diagnostics, DiagnosticArray, raw=False):
            for status in message.status:
                values = {item.key: item.value for item in status.values}
                self.reports.append((info['received_timestamp'], status.name, values))
        return not self._missing


def _take(subscription: Subscription, kind: type[Any], *, raw: bool) -> Iterator[tuple[Any, Any]]:
    with subscription.handle:
        while (taken := subscription.handle.take_message(kind, raw)) is not None:
            yield taken


def _ignore(message: object) -> None:
    """Placeholder callback: messages are taken, not delivered."""


def record_outputs(observer: Observer, ready: Path, stop: Callable[[], bool]) -> None:
    """Poll until `stop`; create the file `ready` once every subject has had every output."""
    while not stop():
        if observer.poll() and not ready.exists():
            ready.touch()
        time.sleep(POLL_SEC)
    observer.poll()


def main(args: Sequence[str] | None = None) -> int:
    """Observe until SIGINT, then write OUT.npz and OUT.json."""
    parser = argparse.ArgumentParser(prog='observer', description=__doc__)
    parser.add_argument('phones', type=int)
    parser.add_argument('out', type=Path)
    options = parser.parse_args(args)
    stop = StopRequest()
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('observer', namespace=AREA.area)
    observer = Observer(node, phone_names(options.phones))
    record_outputs(observer, options.out.with_suffix('.ready'), stop)
    records = np.array(observer.records, np.int64).reshape(-1, 4)
    np.savez(options.out.with_suffix('.npz'), records=records)
    options.out.with_suffix('.json').write_text(json.dumps(observer.reports), encoding='utf-8')
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())

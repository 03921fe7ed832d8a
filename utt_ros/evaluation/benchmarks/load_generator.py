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

"""Load generator: a process that publishes messages on schedule and measures its own delay.

It starts when every topic has a subscriber and, if requested, when a model has been deployed; it
can also deploy a model to a twin without a trainer.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.signals import SignalHandlerOptions

from utt_ros.bridge.messages.federation import deployment_to_message
from utt_ros.bridge.node.process import StopRequest
from utt_ros.bridge.node.qos import SENSOR, STATE
from utt_ros.cdr import replace_stamp
from utt_ros.evaluation.benchmarks.circling_walkers import LOOP_SEC
from utt_ros.evaluation.benchmarks.load_messages import (
    AREA,
    LoadStream,
    loop_schedule,
    make_streams,
)
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, sealed
from utt_ros.federation.types import Deployment
from utt_ros.msg import DeployedModel
from utt_ros.types import NS_PER_S

LEAD_SEC = 0.2
LINK_SEC = 100.0
MAX_SLEEP_SEC = 0.1


class LoadGenerator:
    """Publisher of a load, with counts of sent messages."""

    def __init__(self, node: Node, streams: Sequence[LoadStream]) -> None:
        self._streams = list(streams)
        self._publishers = [
            node.create_publisher(stream.type, stream.topic, SENSOR) for stream in streams]
        self.ticks_ns: list[int] = []
        self.late_ns: list[int] = []
        self.sent: Counter[str] = Counter()

    def linked(self) -> bool:
        """Return whether every topic has a subscriber."""
        return all(publisher.get_subscription_count() for publisher in self._publishers)

    def run(self, stop: Callable[[], bool]) -> None:
        """Publish loop after loop, each message at its own absolute time."""
        events = [
            (due_ns, self._publishers[number], self._streams[number].kind,
             self._streams[number].messages[index])
            for due_ns, number, index in loop_schedule(self._streams)]
        begin_ns = time.monotonic_ns() + int(LEAD_SEC * NS_PER_S)
        for lap in count():
            if not self._run_loop(events, begin_ns + lap * LOOP_SEC * NS_PER_S, stop):
                return

    def _run_loop(
        self, events: list[tuple[int, Publisher, str, bytes]], begin_ns: int,
        stop: Callable[[], bool],
    ) -> bool:
        for due_ns, publisher, kind, message in events:
            late_ns = time.monotonic_ns() - begin_ns - due_ns
            while late_ns < 0:
                if stop():
                    return False
                time.sleep(min(-late_ns / NS_PER_S, MAX_SLEEP_SEC))
                late_ns = time.monotonic_ns() - begin_ns - due_ns
            stamp_ns = time.time_ns()
            publisher.publish(replace_stamp(message, stamp_ns))
            self.late_ns.append(late_ns)
            self.sent[kind] += 1
            if kind == 'camera':
                self.ticks_ns.append(stamp_ns)
        return True


def deploy(node: Node, folder: Path) -> None:
    """Publish a model once, for present and later subscribers."""
    deployment = sealed(
        Deployment(AREA.area, 'bench', 0, (folder / 'config.json').read_text('utf-8'),
                   (folder / 'model.onnx').read_bytes()),
        KeySigner(KeyFolder(folder / 'keys'), AREA.area))
    node.create_publisher(DeployedModel, 'deployed_model', STATE).publish(
        deployment_to_message(deployment, node.get_clock().now().to_msg()))


def deployment_check(node: Node) -> Callable[[], bool]:
    """Return a function that checks whether a model has been deployed."""
    subscription = node.create_subscription(
        DeployedModel, 'deployed_model', lambda _: None, STATE, raw=True)

    def deployed() -> bool:
        with subscription.handle:
            return subscription.handle.take_message(DeployedModel, True) is not None
    return deployed


def main(args: Sequence[str] | None = None) -> int:
    """Wait for subscribers, publish until SIGINT, write OUT.npz."""
    parser = argparse.ArgumentParser(prog='generator', description=__doc__)
    parser.add_argument('phones', type=int)
    parser.add_argument('out', type=Path)
    parser.add_argument('--model', type=Path, help='folder of a model to deploy')
    parser.add_argument('--await-model', action='store_true', help='wait until one is deployed')
    options = parser.parse_args(args)
    stop = StopRequest()
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('generator', namespace=AREA.area)
    generator = LoadGenerator(node, make_streams(options.phones))
    if options.model:
        deploy(node, options.model)
    deployed = deployment_check(node) if options.await_model else lambda: True
    deadline_s = time.monotonic() + LINK_SEC
    while not (generator.linked() and deployed()) and not stop():
        if time.monotonic() > deadline_s:
            node.get_logger().error(f'no model, or a topic without listener, for {LINK_SEC:g} s')
            return 1
        time.sleep(MAX_SLEEP_SEC)
    generator.run(stop)
    np.savez(options.out.with_suffix('.npz'), ticks_ns=np.array(generator.ticks_ns, np.int64),
             late_ns=np.array(generator.late_ns, np.int64),
             kinds=np.array(sorted(generator.sent)),
             sent=np.array([generator.sent[kind] for kind in sorted(generator.sent)], np.int64))
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())

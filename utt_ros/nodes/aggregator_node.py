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

"""The aggregator of a federation: updates of the areas in, global models out.

Deadlines run on the steady clock and not on simulated time: they bound real waiting times, areas
may replay sessions on clocks of their own, and a paused bag must not stop the other areas.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic_ns

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from utt_ros.bridge.messages import federation
from utt_ros.bridge.node.diagnostics import Diagnostics
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import COLLECTED, RELIABLE, STATE
from utt_ros.federation.checkpoints import Checkpoint, CheckpointStore
from utt_ros.federation.initial_model import InitialModel
from utt_ros.federation.server import FederationServer, new_federation
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import RoundStatus as Status
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.starting_model import check_resumed_config, read_initial_model
from utt_ros.msg import GlobalModel, ModelUpdate, RoundStatus
from utt_ros.settings import WindowSettings

TICK_SEC = 0.1
STATUS_TICKS = 10


class AggregatorNode(Node):
    """Publishes the model and collects updates from the model of round 0 on."""

    def __init__(self) -> None:
        super().__init__('aggregator')
        self._settings = declare_settings(self, AggregatorSettings)
        self._model = declare_settings(self, ModelSettings, 'model.')
        self._window = declare_settings(self, WindowSettings)
        self._config = dump_config(self._model, self._window)
        self._models = self.create_publisher(GlobalModel, '/utt/model', STATE)
        self._rounds = self.create_publisher(RoundStatus, '/utt/rounds', RELIABLE)
        self._server: FederationServer | None = None
        self._initial: InitialModel | None = None
        self._store = CheckpointStore(self._settings.state_path, self._settings.keep)
        self._ticks = 0
        self._open()
        self.create_subscription(ModelUpdate, '/utt/updates', self._on_update, COLLECTED)
        self.create_timer(TICK_SEC, self._on_tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._diagnostics = Diagnostics(self, 'aggregator', self._values)

    def destroy_node(self) -> None:
        """End the child process and release the state folder."""
        if self._initial is not None:
            self._initial.close()
        self._store.close()
        super().destroy_node()

    def _open(self) -> None:
        """Resume the federation of the state folder, or start one."""
        checkpoint, problems = self._store.newest()
        for problem in problems:
            self.get_logger().error(f'{problem}; an earlier round is used')
        initial = self._settings.initial_model
        if checkpoint is None and initial:
            weights, config = read_initial_model(
                Path(initial).expanduser(), self._model, self._window)
            self._begin(new_federation(self._store, config, weights))
        elif checkpoint is None:
            folder = self._settings.state_path
            self._initial = InitialModel(self._config, self._settings.seed, folder)
        else:
            check_resumed_config(checkpoint.config, self._store.folder, self._model, self._window,
                                 any_size=bool(initial))
            self._begin(checkpoint)

    def _begin(self, checkpoint: Checkpoint) -> None:
        self._server = FederationServer(self._settings, self._store, checkpoint, monotonic_ns())
        self._publish_model(self._server)
        self.get_logger().info(
            f'federation {checkpoint.federation} is at round {checkpoint.round}')

    def _on_update(self, message: ModelUpdate) -> None:
        if self._server is None:
            return
        refusal = self._server.receive(federation.update_from_message(message), monotonic_ns())
        if refusal is not None:
            self.get_logger().warning(f'refused: {refusal}', throttle_duration_sec=1.0)
        self._step(self._server)
        self._publish_status(self._server.status(monotonic_ns()))

    def _on_tick(self) -> None:
        self._ticks += 1
        if self._server is None:
            tensors = self._initial.poll() if self._initial is not None else None
            if tensors is not None:
                self._begin(new_federation(self._store, self._config, tensors))
        elif not self._step(self._server) and self._ticks % STATUS_TICKS == 0:
            self._publish_status(self._server.status(monotonic_ns()))

    def _step(self, server: FederationServer) -> bool:
        closed = server.step(monotonic_ns())
        if closed is None:
            return False
        self._publish_model(server)
        self._publish_status(closed)
        self.get_logger().info(
            f'round {closed.round} completed by {", ".join(sorted(closed.accepted))} '
            f'in {closed.duration_s:.1f} s'
        )
        if server.problem:
            self.get_logger().error(server.problem)
        return True

    def _publish_model(self, server: FederationServer) -> None:
        self._models.publish(
            federation.model_to_message(server.model, self.get_clock().now().to_msg()))

    def _publish_status(self, status: Status) -> None:
        self._rounds.publish(
            federation.round_status_to_message(status, self.get_clock().now().to_msg()))

    def _values(self) -> Mapping[str, object]:
        if self._server is None:
            return {'level': 'warn', 'message': 'the initial model is being created'}
        others = self.count_publishers('/utt/model') - 1
        message = f'{others} other aggregators publish /utt/model' if others > 0 else ''
        return {
            'level': 'warn' if self._server.problem or message else 'ok',
            'message': self._server.problem or message,
            'federation': self._server.model.federation,
            'round': self._server.model.round,
            'updates_accepted': self._server.accepted,
            'updates_refused': self._server.refused,
        }


def main(args: Sequence[str] | None = None) -> int:
    """Run the aggregator until SIGINT or SIGTERM."""
    return run_node(AggregatorNode, args)


if __name__ == '__main__':
    sys.exit(main())

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
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic_ns

from rclpy.clock import Clock, ClockType
from rclpy.subscription import Subscription

from utt_ros.bridge.messages.federation import update_from_message
from utt_ros.bridge.node.managed_node import ManagedNode
from utt_ros.bridge.node.message_signing import MessageSigning
from utt_ros.bridge.node.operator_services import add_switch, add_trigger
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import collected_from
from utt_ros.bridge.node.round_publishers import RoundPublishers
from utt_ros.errors import UttError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.federation_state import FederationState
from utt_ros.federation.keys import AGGREGATOR
from utt_ros.federation.latched_updates import LatchedUpdates
from utt_ros.federation.root_of_trust import TrustedRecordings
from utt_ros.federation.server import FederationServer
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.starting_model import check_resumed_config, read_initial_model
from utt_ros.msg import ModelUpdate
from utt_ros.settings import WindowSettings

TICK_SEC = 0.1
STATUS_TICKS = 10  # between states of a round, however many updates come
SHOW_SEC = 5.0  # between publications of an unchanged model


class AggregatorNode(ManagedNode):
    """Publishes the model and collects updates from the model of round 0 on."""

    def __init__(self) -> None:
        super().__init__('aggregator')
        self._settings = declare_settings(self, AggregatorSettings)
        model = declare_settings(self, ModelSettings, 'model.')
        window = declare_settings(self, WindowSettings)
        self._signing = MessageSigning(self, AGGREGATOR, self._settings.max_update_bytes)
        self._outputs = RoundPublishers(self, self._signing.signer)
        self._server: FederationServer | None = None
        path = self._settings.initial_model
        self._state = FederationState(
            self._settings, dump_config(model, window),
            partial(check_resumed_config, model=model, window=window, any_size=bool(path)),
            partial(read_initial_model, Path(path).expanduser(), model, window) if path else None)
        for problem in self._state.problems:
            self.get_logger().error(f'{problem}; an earlier round is used')
        self._trusted = self._settings.trust_path if self._settings.trust_sessions else None
        self._root: TrustedRecordings | None = None
        self._latched = LatchedUpdates(self._settings.max_areas)
        self._input: Subscription | None = None
        self._ticks, self._shown_s = 0, -inf
        self._is_paused = False
        self.create_timer(TICK_SEC, self._on_tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        add_switch(self, 'pause_rounds', self._pause)
        add_trigger(self, 'save_checkpoint', self._save)
        self.start()

    def begin_work(self) -> None:
        """Publish the model and subscribe. Areas keep their newest updates until then."""
        if self._server is None:
            self._begin(self._state.begin())
        else:
            self._server.restart_deadline(monotonic_ns())
        self._latched.resubscribe()
        self._input = self.create_subscription(
            ModelUpdate, '/utt/updates', self._on_update,
            collected_from(self._settings.max_areas))

    def end_work(self) -> None:
        """Unsubscribe. The round in progress keeps the updates that it has."""
        self.destroy_subscription(self._input)

    def destroy_node(self) -> None:
        """End the child process and release the state folder."""
        if self._root is not None:
            self._root.close()
        self._state.close()
        super().destroy_node()

    def _begin(self, begin: Checkpoint | None) -> None:
        if begin is None:
            return
        settings = self._settings
        if self._trusted is not None:
            self._root = TrustedRecordings(
                self._trusted, begin.config, settings.state_path / 'root')
        self._server = FederationServer(
            settings, self._state.store, begin, monotonic_ns(), self._signing.verifier,
            root=self._root)
        self._outputs.publish_model(self._server.model)
        self.get_logger().info(f'federation {begin.federation} is at round {begin.round}')

    def _on_update(self, message: ModelUpdate) -> None:
        update = update_from_message(message)
        if self._server is None or self._latched.is_repeated(update):
            return
        refusal = self._server.receive(update, monotonic_ns())
        if refusal is None:
            self._latched.accept(update)
        else:
            self.get_logger().warning(f'refused: {refusal}', throttle_duration_sec=1.0)
            self._show_model(self._server)
        self._step(self._server)

    def _show_model(self, server: FederationServer) -> None:
        """Publish the model again, at times, to an area that trains another one."""
        now_s = monotonic_ns() / 1e9
        if server.strays and now_s - self._shown_s > SHOW_SEC:
            self._shown_s = now_s
            server.strays = 0
            self._outputs.publish_model(server.model)

    def _on_tick(self) -> None:
        if not self.is_active:
            return
        self._ticks += 1
        if self._server is None:
            self._begin(self._state.begin())
        elif not self._step(self._server) and self._ticks % STATUS_TICKS == 0:
            self._outputs.publish_status(self._server.status(monotonic_ns()))

    def _step(self, server: FederationServer) -> bool:
        closed = None if self._is_paused else server.step(monotonic_ns())
        if closed is None:
            return False
        self._outputs.publish_model(server.model, server.change)
        self._outputs.publish_status(closed)
        areas = ', '.join(sorted(closed.accepted))
        self.get_logger().info(
            f'round {closed.round} completed by {areas} in {closed.duration_s:.1f} s')
        for area, reason in closed.suspected.items():
            self.get_logger().warning(
                f'area {area!r} is suspected: {reason}', throttle_duration_sec=1.0)
        if server.problem:
            self.get_logger().error(server.problem)
        return True

    def _pause(self, on: bool) -> str:
        if self._is_paused and not on and self._server is not None:
            self._server.restart_deadline(monotonic_ns())
        self._is_paused = on
        return 'rounds are paused: updates are collected' if on else 'rounds go on'

    def _save(self) -> str:
        if self._server is None:
            raise UttError('there is no model yet')
        return self._server.save()

    def _values(self) -> Mapping[str, object]:
        server = self._server
        if server is None:
            return {'level': 'warn', 'message': 'there is no model yet'}
        trouble = '; '.join(filter(
            None, (self._signing.note, server.problem, self._root.problem if self._root else '',
                   self._outputs.rivals())))
        return {
            'level': 'warn' if trouble else 'ok',
            'message': '; '.join(filter(None, ('rounds are paused' * self._is_paused, trouble))),
            'federation': server.model.federation,
            'round': server.model.round,
            'updates_accepted': server.accepted,
            'updates_refused': server.refused,
            'areas_suspected': server.suspected,
        }


def main(args: Sequence[str] | None = None) -> int:
    """Run the aggregator until SIGINT or SIGTERM."""
    return run_node(AggregatorNode, args)


if __name__ == '__main__':
    sys.exit(main())

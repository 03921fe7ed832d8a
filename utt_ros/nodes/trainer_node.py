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

"""The trainer of an area: synced samples and models in, graphs, metrics and updates out.

Callbacks only pass on what arrived. Training has a thread of its own with idle priority, so that
it takes no time from other processes.
"""

import sys
from collections.abc import Mapping, Sequence
from threading import Event as Signal
from threading import Thread

from rclpy.node import Node

from utt_ros.bridge.messages.federation import (
    deployment_to_message,
    model_from_message,
    report_to_message,
    update_to_message,
)
from utt_ros.bridge.messages.sensors import deserialize, samples_from_message
from utt_ros.bridge.node.diagnostics import Diagnostics
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.process import run_node, use_idle_priority
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.errors import MeasurementError, UttError
from utt_ros.federation.types import Deployment, Report
from utt_ros.models.settings import ModelSettings
from utt_ros.msg import (
    DeployedModel,
    GlobalModel,
    ModelUpdate,
    RoundStatus,
    SyncedSamples,
    TrainingMetrics,
)
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.window_buffer import WindowCutter
from utt_ros.training.client import ClientEvent, ClientProblem, FederatedClient
from utt_ros.training.dataset import mask_uncertain_boxes
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.training.trainer import use_one_thread

WAIT_SEC = 0.2
JOIN_SEC = 10.0


class TrainerNode(Node):
    """Federated client of one area."""

    def __init__(self) -> None:
        super().__init__('trainer')
        area = declare_settings(self, AreaSettings)
        window = declare_settings(self, WindowSettings)
        settings = declare_settings(self, TrainerSettings)
        learning = declare_settings(self, LearningSettings)
        self._min_association = learning.min_association
        self._client = FederatedClient(
            area, window, declare_settings(self, ModelSettings, 'model.'), learning, settings)
        self._cutter = WindowCutter(
            window, window.ticks + window.horizon, settings.window_stride)
        self._ticks = self._refused_samples = 0
        self._deployed = self.create_publisher(DeployedModel, 'deployed_model', STATE)
        self._metrics = self.create_publisher(TrainingMetrics, 'training_metrics', RELIABLE)
        self._updates = self.create_publisher(ModelUpdate, '/utt/updates', STATE)
        self.create_subscription(SyncedSamples, 'synced', self._on_samples, RELIABLE, raw=True)
        if settings.federated:
            self.create_subscription(GlobalModel, '/utt/model', self._on_model, STATE)
            self.create_subscription(RoundStatus, '/utt/rounds', self._on_rounds, RELIABLE)
        self._diagnostics = Diagnostics(self, 'trainer', self._values)
        self._stop = Signal()
        self._failure: Exception | None = None
        self._thread = Thread(target=self._work, name='training')
        self._thread.start()

    def destroy_node(self) -> None:
        """End the training thread, at the latest after its current step."""
        self._stop.set()
        self._thread.join(JOIN_SEC)
        super().destroy_node()

    def _on_samples(self, data: bytes) -> None:
        try:
            batch = samples_from_message(deserialize(SyncedSamples, data))
            windows = self._cutter.push(mask_uncertain_boxes(batch, self._min_association))
        except MeasurementError as err:
            self._refused_samples += 1
            self.get_logger().warning(f'refused: {err}', throttle_duration_sec=5.0)
            return
        self._ticks += 1
        if windows is not None:
            self._client.inbox.put_windows(windows)

    def _on_model(self, message: GlobalModel) -> None:
        self._client.inbox.put_model(model_from_message(message))

    def _on_rounds(self, message: RoundStatus) -> None:
        self._client.follow_round(
            message.federation, message.round, completed=message.state == 'completed')

    def _work(self) -> None:
        use_one_thread()
        use_idle_priority()
        try:
            self._publish(self._client.resume())
            while not self._stop.is_set():
                self._publish(self._client.step(WAIT_SEC))
        except Exception as err:  # noqa: BLE001 - any error must be reported and end the node
            self._failure = err

    def _publish(self, events: Sequence[ClientEvent]) -> None:
        stamp = self.get_clock().now().to_msg()
        for event in events:
            if isinstance(event, Deployment):
                self._deployed.publish(deployment_to_message(event, stamp))
            elif isinstance(event, Report):
                self._metrics.publish(report_to_message(event, stamp))
            elif isinstance(event, ClientProblem):
                self.get_logger().error(event.text, throttle_duration_sec=1.0)
            else:
                self._updates.publish(update_to_message(event, stamp))

    def _values(self) -> Mapping[str, object]:
        """Return diagnostics, counted since start. Raises the error that ended training."""
        if self._failure is not None:
            raise UttError(f'training ended: {self._failure!r}') from self._failure
        client, trainer = self._client, self._client.trainer
        lost = client.inbox.dropped + self._refused_samples + trainer.steps_skipped
        return {
            'level': 'warn' if client.problems or lost else 'ok',
            'message': client.problem,
            'round': -1 if client.current is None else client.current.round,
            'ticks': self._ticks,
            'samples_refused': self._refused_samples,
            'windows': trainer.window_count,
            'windows_held_out': len(trainer.memory.held_out),
            'windows_dropped': client.inbox.dropped,
            'steps': trainer.steps,
            'steps_skipped': trainer.steps_skipped,
            'problems': client.problems,
        }


def main(args: Sequence[str] | None = None) -> int:
    """Run the trainer until SIGINT or SIGTERM."""
    return run_node(TrainerNode, args)


if __name__ == '__main__':
    sys.exit(main())

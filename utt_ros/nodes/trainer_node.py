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

Callbacks only pass on what arrived. Training has a thread of its own, which yields to other
processes.
"""

import gc
import sys
from collections.abc import Callable, Mapping, Sequence

from rclpy.subscription import Subscription

from utt_ros.bridge.messages.federation import model_from_message, round_state_from_message
from utt_ros.bridge.messages.sensors import deserialize, samples_from_message
from utt_ros.bridge.node.client_publishers import ClientPublishers
from utt_ros.bridge.node.diagnostics import counted
from utt_ros.bridge.node.managed_node import ManagedNode
from utt_ros.bridge.node.message_signing import MessageSigning
from utt_ros.bridge.node.operation_actions import OperationActions
from utt_ros.bridge.node.operator_services import add_switch, add_trigger, wait_for_answer
from utt_ros.bridge.node.parameters import declare_settings, follow_parameters
from utt_ros.bridge.node.process import abandon_threads, run_node
from utt_ros.bridge.node.qos import CONTESTED, RELIABLE
from utt_ros.bridge.node.round_publishers import CHANGE_TOPIC, MODEL_TOPIC, STATE_TOPIC
from utt_ros.bridge.node.twin_handover import AdoptionService, TwinCouriers
from utt_ros.bridge.node.twin_services import TwinServices
from utt_ros.errors import MeasurementError, ModelError, UttError
from utt_ros.federation import types
from utt_ros.federation.types import PLAIN, Deployment, TaskDeployment
from utt_ros.models.settings import ModelSettings
from utt_ros.msg import GlobalModel, RoundStatus, SyncedSamples
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.window_buffer import WindowCutter
from utt_ros.training.client import ClientEvent, ClientProblem, FederatedClient
from utt_ros.training.dataset import mask_uncertain_boxes
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.training.training_thread import TrainingThread
from utt_ros.training.twin_adoption import TwinAdoption
from utt_ros.training.twin_deployment import TwinDeployment
from utt_ros.training.twin_models import open_twin_models
from utt_ros.training.twin_operations import TwinOperations

MAX_STOP_SEC = 3.5  # training may hold Python's lock while it gets next to no processor time
MISSED_STATES = 3  # states of a round, one a second, before its model counts as lost
MAX_MISSED_STATES = 96  # after attempts in vain, each of which moves all of the model
WRITABLE = ('learn', 'local_steps', 'min_windows')  # parameters


class TrainerNode(ManagedNode):
    """Federated client of one area."""

    def __init__(self) -> None:
        super().__init__('trainer')
        area = declare_settings(self, AreaSettings)
        window = declare_settings(self, WindowSettings)
        self._settings = declare_settings(self, TrainerSettings, writable=WRITABLE)
        learning = declare_settings(self, LearningSettings)
        self._area = area.area
        self._min_association = learning.min_association
        self._signing = MessageSigning(self, area.area, self._settings.max_model_bytes)
        self._client = FederatedClient(
            area, window, declare_settings(self, ModelSettings, 'model.'), learning,
            self._settings, verifier=self._signing.verifier)
        follow_parameters(self, self._settings, WRITABLE, self._use_settings)
        self._cutter = WindowCutter(
            window, window.ticks + window.horizon, self._settings.window_stride)
        self._ticks = self._refused_samples = 0
        self._outputs = ClientPublishers(self, self._signing.signer)
        self._inputs: list[Subscription] = []
        self._models: Subscription | None = None
        self._missed_states, self._missable_states = 0, MISSED_STATES
        self._is_paused = False
        add_switch(self, 'pause_training', self._pause)
        add_switch(self, 'pin_model', lambda on: self._request(lambda: self._client.pin(on)))
        add_trigger(self, 'save_checkpoint', lambda: self._request(self._client.save_checkpoint))
        self._twins = open_twin_models(area, self._settings.state_dir, self._client)
        self._twin_services = TwinServices(self, area.area, self._twins)
        self._deployment = TwinDeployment(self._twins, len(area.ap_positions))
        self._operations = TwinOperations(
            area, window, learning, client=self._client, models=self._twins,
            courier=TwinCouriers(self, self._signing.signer))
        self._actions = OperationActions(self, self._operations, lambda: self.is_active)
        AdoptionService(
            self, self._signing.verifier, self._client.inbox.put_request,
            TwinAdoption(area, window, self._client, self._twins).adopt)
        self._training = TrainingThread(self._client, self._publish, self._do_chores)
        self.start()

    def begin_work(self) -> None:
        """Subscribe; the training thread begins with the first activation."""
        subscribe = self.create_subscription
        self._inputs = [
            subscribe(SyncedSamples, 'synced', self._on_samples, RELIABLE, raw=True)]
        if self._settings.federated:
            self._inputs += [
                subscribe(RoundStatus, STATE_TOPIC, self._on_rounds, RELIABLE),
                subscribe(GlobalModel, CHANGE_TOPIC, self._on_model, RELIABLE)]
            self._subscribe_to_models()
        self._client.paused = self._is_paused
        self._training.start()

    def end_work(self) -> None:
        """Unsubscribe. Training stops after its current step."""
        self._client.paused = True
        self._operations.cancel()
        for subscription in self._inputs:
            self.destroy_subscription(subscription)
        self._unsubscribe_from_models()

    def destroy_node(self) -> None:
        self._training.close()
        self._actions.close()
        super().destroy_node()

    def _do_chores(self) -> bool:
        """Work on task twins, in the training thread; return whether there is more to do."""
        self._publish(self._deployment.step())
        return self._operations.step()

    def _use_settings(self, settings: TrainerSettings) -> None:
        self._client.settings = settings

    def _pause(self, on: bool) -> str:
        self._is_paused = on
        self._client.paused = on or not self.is_active
        if on:
            return 'training is paused: models are still deployed, and windows kept'
        return f'training goes on {"" if self.is_active else "when the node is active"}'.rstrip()

    def _request(self, action: Callable[[], str]) -> str:
        """Have the training thread carry out an action between two steps."""
        if self._client.current is None:
            raise UttError('there is no model yet')
        return wait_for_answer(self._client.inbox.put_request(action))

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
        model = model_from_message(message)
        try:
            if self._client.gate.admit(model):
                self._client.inbox.put_model(model)
        except ModelError as err:
            self.get_logger().warning(str(err), throttle_duration_sec=1.0)

    def _on_rounds(self, message: RoundStatus) -> None:
        status, seal = round_state_from_message(message)
        if self._client.gate.admits_status(status, seal):
            self._client.follow_round(
                status.federation, status.round, completed=status.state == 'completed')
            if self._area in message.refused:
                self._client.updates.refuse(status.federation, status.round)
            self._follow_models(status)

    def _follow_models(self, status: types.RoundStatus) -> None:
        """Subscribe anew where the model of a round is missing: DDS then delivers it again.

        Models of strangers, however often they come, displace it in the queue. Where a federation
        compresses, the area that has a model whole receives changes only.
        """
        current = self._client.current
        if not self._client.gate.lacks_model(status):
            self._missed_states, self._missable_states = 0, MISSED_STATES
            if current and current.round >= status.round and current.compression != PLAIN:
                self._unsubscribe_from_models()
            return
        self._missed_states += 1
        if self._missed_states >= self._missable_states:
            self._missed_states = 0
            self._missable_states = min(2 * self._missable_states, MAX_MISSED_STATES)
            self._subscribe_to_models()

    def _unsubscribe_from_models(self) -> None:
        if self._models is not None:
            self.destroy_subscription(self._models)
        self._models = None

    def _subscribe_to_models(self) -> None:
        self._unsubscribe_from_models()
        self._models = self.create_subscription(
            GlobalModel, MODEL_TOPIC, self._on_model, CONTESTED)

    def _publish(self, events: Sequence[ClientEvent | TaskDeployment]) -> None:
        self._outputs.publish(events)
        if any(isinstance(event, Deployment) for event in events):
            self._twin_services.follow_model()
        for event in events:
            if isinstance(event, ClientProblem):
                self.get_logger().error(event.text, throttle_duration_sec=1.0)

    def _values(self) -> Mapping[str, object]:
        """Return diagnostics, counted since start. Raises the error that ended training."""
        self._training.check()
        client, trainer = self._client, self._client.trainer
        problems = client.problems + self._deployment.problems
        lost = client.inbox.dropped + self._refused_samples + trainer.steps_skipped
        return {
            'level': 'warn' if problems or lost or self._signing.note else 'ok',
            'message': '; '.join(filter(None, (
                self._signing.note, client.note, client.problem, self._deployment.problem,
                client.gate.refusal, counted({
                    'windows dropped:': client.inbox.dropped,
                    'samples refused:': self._refused_samples,
                    'steps skipped:': trainer.steps_skipped})))),
            'round': -1 if client.current is None else client.current.round,
            'ticks': self._ticks,
            'samples_refused': self._refused_samples,
            'windows': trainer.window_count,
            'windows_held_out': len(trainer.memory.held_out),
            'windows_dropped': client.inbox.dropped,
            'steps': trainer.steps,
            'steps_skipped': trainer.steps_skipped,
            'problems': problems,
            'operation': self._operations.note,
            'task_twins_serving': len(self._twins.registry.serving),
            'models_refused': client.gate.refused,
        }


def main(args: Sequence[str] | None = None) -> int:
    """Run the trainer until SIGINT or SIGTERM."""
    code = run_node(TrainerNode, args, max_stop_sec=MAX_STOP_SEC)
    abandon_threads(code)  # the current step of training
    gc.freeze()  # at its end the interpreter would look through torch's objects for seconds
    return code


if __name__ == '__main__':
    sys.exit(main())

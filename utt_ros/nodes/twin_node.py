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

"""The twin of an area: synced samples and deployed graphs in, predictions of all subjects out.

A tick is processed in its callback: positions first, then trajectories, then what somebody
subscribes to: synthesized IMU, and the measurements of virtual sensors. Graphs are opened in
worker threads and used from the next tick on.
"""

import gc
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from threading import Event
from time import perf_counter

from rclpy.clock import Clock, ClockType

from utt_ros.bridge.messages.markers import TwinMarkers
from utt_ros.bridge.messages.sensors import deserialize, samples_from_message
from utt_ros.bridge.messages.status import twin_status_to_message
from utt_ros.bridge.node.belief_exchange import BeliefExchange
from utt_ros.bridge.node.deployed_models import DeployedModels
from utt_ros.bridge.node.diagnostics import counted
from utt_ros.bridge.node.host_clocks import answer_host_time
from utt_ros.bridge.node.managed_node import ManagedNode
from utt_ros.bridge.node.message_signing import MessageSigning
from utt_ros.bridge.node.offset_keeper import OffsetKeeper
from utt_ros.bridge.node.operator_services import add_trigger
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.bridge.node.subject_frames import SubjectFrames
from utt_ros.bridge.node.subject_publishers import SubjectPublishers
from utt_ros.bridge.node.virtual_sensor_publishers import VirtualSensorPublishers
from utt_ros.errors import MeasurementError
from utt_ros.federation.types import Deployment
from utt_ros.msg import SyncedSamples, TwinStatus
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.graph_trial import GraphTrial, TrialChild
from utt_ros.twin.graph_trial_child import fork_trial
from utt_ros.twin.health import SensorHealth
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.twin.settings import ParticleFilterSettings, TwinSettings
from utt_ros.twin.tick_types import PendingTick, TickPredictions
from utt_ros.types import SyncedBatch

STATUS_SEC = 1.0
MAX_WAIT_SEC = 0.5
TIMED_TICKS = 600  # over which computing times are reported


class TwinNode(ManagedNode):
    """Managed node that predicts while it is active."""

    def __init__(self, trial_child: TrialChild | None = None) -> None:
        """`trial_child`: process that tries graphs; default: a new one."""
        super().__init__('twin')
        self._area = declare_settings(self, AreaSettings)
        self._window = declare_settings(self, WindowSettings)
        settings = declare_settings(self, TwinSettings)
        filter_settings = declare_settings(self, ParticleFilterSettings, 'belief.')
        neighbours = NeighbourBeliefs(self._area, filter_settings, settings.hand_over)
        self._offsets = OffsetKeeper(self, settings)
        self._engine = TwinEngine(
            self._area, self._window, filter_settings, settings.lag, neighbours,
            offsets=self._offsets.begin)
        self._health = SensorHealth(self._area.modalities)
        self._outputs = SubjectPublishers(self, self._area.area)
        self._frames = SubjectFrames(self, self._area.area, publish=settings.publish_tf)
        self._times_ms: deque[float] = deque(maxlen=TIMED_TICKS)
        self._predictions: TickPredictions | None = None
        self._received_s = perf_counter()
        self._runtime: OnnxModel | None = None
        self._refused_samples, self._tick_ended, self._input = 0, Event(), None
        self._signing = MessageSigning(self, self._area.area)
        self._beliefs = BeliefExchange(
            self, self._area, neighbours, self._signing) if settings.hand_over else None
        self._trial = GraphTrial(
            self._window, access_points=len(self._area.ap_positions), child=trial_child)
        self._models = DeployedModels(
            self, self._use, area=self._area.area, verifier=self._signing.verifier)
        self._virtual = VirtualSensorPublishers(
            self, self._area, self._window, self._wait_for_gap, check_graph=self._trial.check,
            verifier=self._signing.verifier)
        self._status = self.create_publisher(TwinStatus, 'twin_status', RELIABLE)
        self._markers = TwinMarkers(self, self._area)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(STATUS_SEC, self._publish_status, clock=steady)
        add_trigger(self, 'reset_belief', self._reset_belief)
        answer_host_time(self)
        self.start()

    def begin_work(self) -> None:
        """Subscribe. From here on garbage is collected with the status, between ticks."""
        self._input = self.create_subscription(
            SyncedSamples, 'synced', self._on_samples, RELIABLE, raw=True)
        gc.collect()
        gc.freeze()
        gc.disable()

    def end_work(self) -> None:
        self.destroy_subscription(self._input)
        self._outputs.close()
        self._virtual.close()
        gc.enable()

    def destroy_node(self) -> None:
        """End a trial under way, and wait for graphs that are being opened."""
        self._offsets.close(self._engine.known_offsets())
        self._trial.close()
        self._models.close()
        self._virtual.end()
        super().destroy_node()

    def _on_samples(self, data: bytes) -> None:
        begin_s = perf_counter()
        try:
            batch = samples_from_message(deserialize(SyncedSamples, data))
            located = self._engine.locate(batch)
        except MeasurementError as err:
            self._refused_samples += 1
            self.get_logger().warning(f'refused: {err}', throttle_duration_sec=5.0)
            return
        self._outputs.publish_positions(located.positions)
        tick = self._engine.begin(located, self._outputs.imu_readers())
        predictions = self._engine.predict(tick)
        self._outputs.publish_trajectories(predictions)
        if (imu := self._engine.synthesize(tick)) is not None:
            self._outputs.publish_imu(imu)
        self._finish(batch, tick, predictions, begin_s)

    def _finish(
        self, batch: SyncedBatch, tick: PendingTick, predictions: TickPredictions, begin_s: float,
    ) -> None:
        """Do what can wait until the predictions of a tick are published."""
        if self._beliefs is not None:
            self._beliefs.publish(batch, self._engine)
        self._health.update(batch)
        self._predictions, self._received_s = predictions, perf_counter()
        self._times_ms.append(1e3 * (self._received_s - begin_s))
        self._frames.publish(tick)
        self._virtual.publish(
            tick, predictions.imu_stamps_ns, self._engine.expected_measurements)
        self._tick_ended.set()
        self._markers.draw(predictions, self._received_s)
        self._engine.prepare_next()

    def _use(self, deployment: Deployment) -> None:
        """Deploy a graph after its trial, in the worker thread."""
        self._trial.check(deployment.graph)
        self._wait_for_gap()
        self._runtime = OnnxModel(
            deployment.graph, self._window, self._runtime, is_tried=True)
        self._engine.deploy(self._runtime, deployment.round)

    def _wait_for_gap(self) -> None:
        """Wait for the end of a tick, if there are any: opening holds Python's lock for 40 ms."""
        self._tick_ended.clear()
        self._tick_ended.wait(MAX_WAIT_SEC)

    def _reset_belief(self) -> str:
        count = self._engine.reset_belief()
        return (f'the belief of {count} subjects is dropped: each starts anew at its next box '
                'or range')

    def _publish_status(self) -> None:
        gc.collect()
        self._frames.refresh()
        self._status.publish(twin_status_to_message(
            self.get_clock().now().to_msg(), self._area, self._health, self._predictions,
            model_round=self._engine.models.round, idle_s=perf_counter() - self._received_s,
            published=self._outputs.published, times_ms=self._times_ms))
        self._offsets.keep(self._engine.known_offsets)
        self._markers.draw_floor()
        if self.is_active:
            self._virtual.refresh()
        if self._predictions is not None:
            self._outputs.forget(self._predictions.stamp_ns)

    def _values(self) -> Mapping[str, object]:
        """Return diagnostics, counted since start."""
        models, service = self._models, self._engine.models
        refused = (self._refused_samples + models.refused + self._engine.failures
                   + self._virtual.failures)
        return {
            'level': 'warn' if refused or self._health.lost or self._signing.note else 'ok',
            'message': '; '.join(filter(None, (
                self._engine.failure or models.failure or self._virtual.failure,
                self._signing.note,
                counted({'ticks lost:': self._health.lost,
                         'samples refused:': self._refused_samples})))),
            'round': -1 if service.round is None else service.round,
            'ticks': self._health.ticks,
            'ticks_lost': self._health.lost,
            'predictions': self._outputs.published,
            'subjects_refused': self._engine.refused,
            'samples_refused': self._refused_samples,
            'models_refused': models.refused,
            'model_failures': service.failures,
            'range_trends': '; '.join(f'{offset:+.2f} m {slope:+.3f} m/m'
                                      for offset, slope in self._engine.range_trends),
            'models_dropped': service.dropped,
            'predictions_implausible': service.implausible,
            **(self._beliefs.values() if self._beliefs else {}),
            **self._virtual.values(),
        }


def main(args: Sequence[str] | None = None) -> int:
    """Run the twin until SIGINT or SIGTERM."""
    trial_child = fork_trial()

    def make() -> TwinNode:
        return TwinNode(trial_child)

    return run_node(make, args)


if __name__ == '__main__':
    sys.exit(main())

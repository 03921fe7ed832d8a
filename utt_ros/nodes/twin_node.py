"""The twin of an area: synced samples and its trainer's graph in, predictions of all subjects out.

Everything happens in the callback of a tick. Graphs are opened in a thread of their own and take
over between two ticks.
"""

import gc
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from threading import Event
from time import perf_counter

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from utt_ros.bridge.messages.federation import deployment_from_message
from utt_ros.bridge.messages.markers import TwinMarkers
from utt_ros.bridge.messages.sensors import deserialize, samples_from_message
from utt_ros.bridge.messages.status import status_to_message
from utt_ros.bridge.node.diagnostics import Diagnostics
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.bridge.node.subject_publishers import SubjectPublishers
from utt_ros.errors import MeasurementError, ModelError
from utt_ros.msg import DeployedModel, SyncedSamples, TwinStatus
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.engine import TickPredictions, TwinEngine
from utt_ros.twin.health import SensorHealth
from utt_ros.twin.latest_worker import LatestOnlyWorker
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.twin.settings import ParticleFilterSettings, TwinSettings

STATUS_SEC = 1.0
MAX_WAIT_SEC = 0.5
TIMES = 600  # ticks over which computing times are reported


class TwinNode(LifecycleNode):
    """A managed node: it listens and predicts while it is active."""

    def __init__(self) -> None:
        super().__init__('twin')
        self._area = declare_settings(self, AreaSettings)
        self._window = declare_settings(self, WindowSettings)
        settings = declare_settings(self, TwinSettings)
        belief = declare_settings(self, ParticleFilterSettings, 'belief.')
        self._engine = TwinEngine(self._area, self._window, belief, settings.lag)
        self._watch = SensorHealth(self._area.modalities)
        self._outputs = SubjectPublishers(self, self._area.area)
        self._times_ms: deque[float] = deque(maxlen=TIMES)
        self._newest: TickPredictions | None = None
        self._heard_s = perf_counter()
        self._runtime: OnnxModel | None = None
        self._round: int | None = None
        self._refused_samples = self._refused_models = 0
        self._trouble = ''
        self._tick_ended = Event()
        self._opener = LatestOnlyWorker('graph', self._open)
        self._input = None
        self.create_subscription(DeployedModel, 'deployed_model', self._opener.put, STATE)
        self._status = self.create_publisher(TwinStatus, 'twin_status', RELIABLE)
        self._drawing = TwinMarkers(self, self._area)
        self.create_timer(
            STATUS_SEC, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._diagnostics = Diagnostics(self, 'twin', self._values)
        if settings.autostart:
            self.trigger_configure()
            self.trigger_activate()

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen. From here on garbage is collected between ticks, when the status is told."""
        self._input = self.create_subscription(
            SyncedSamples, 'synced', self._on_samples, RELIABLE, raw=True)
        gc.collect()
        gc.freeze()
        gc.disable()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen no more."""
        self.destroy_subscription(self._input)
        self._outputs.close()
        gc.enable()
        return super().on_deactivate(state)

    def destroy_node(self) -> None:
        """Wait until no graph is being opened any more."""
        self._opener.close()
        super().destroy_node()

    def _on_samples(self, data: bytes) -> None:
        begin_s = perf_counter()
        try:
            batch = samples_from_message(deserialize(SyncedSamples, data))
            tick = self._engine.locate(batch)
        except MeasurementError as err:
            self._refused_samples += 1
            self.get_logger().warning(f'refused: {err}', throttle_duration_sec=5.0)
            return
        self._outputs.publish_positions(tick.positions)
        predictions = self._engine.predict(tick)
        self._outputs.publish(predictions)
        self._watch.update(batch)
        self._newest, self._heard_s = predictions, perf_counter()
        self._times_ms.append(1e3 * (self._heard_s - begin_s))
        self._tick_ended.set()
        self._drawing.draw(predictions, self._heard_s)

    def _open(self, message: DeployedModel) -> None:
        """Use this graph from the next tick on; a bad one changes nothing. In the other thread.

        Opening holds Python's lock for 40 ms, so it waits for the end of a tick, if there are any.
        """
        try:
            deployment = deployment_from_message(message)
            self._tick_ended.clear()
            self._tick_ended.wait(MAX_WAIT_SEC)
            self._runtime = OnnxModel(deployment.graph, self._window, self._runtime)
            self._engine.deploy(self._runtime)
            self._round = deployment.round
        except ModelError as err:
            self._refused_models += 1
            self._trouble = f'model of round {message.round} refused: {err}'
            self.get_logger().error(self._trouble)

    def _report(self) -> None:
        gc.collect()
        self._status.publish(status_to_message(
            self.get_clock().now().to_msg(), self._area.area, self._watch, self._newest,
            model_round=self._round, idle_s=perf_counter() - self._heard_s,
            predictions=self._outputs.published, times_ms=self._times_ms))
        self._drawing.draw_floor()
        if self._newest is not None:
            self._outputs.forget(self._newest.stamp_ns)

    def _values(self) -> Mapping[str, object]:
        """Counted since start."""
        refused = self._refused_samples + self._refused_models + self._engine.failures
        return {
            'level': 'warn' if refused or self._watch.lost else 'ok',
            'message': self._engine.failure or self._trouble,
            'round': -1 if self._round is None else self._round,
            'ticks': self._watch.ticks,
            'ticks_lost': self._watch.lost,
            'predictions': self._outputs.published,
            'subjects_refused': self._engine.refused,
            'samples_refused': self._refused_samples,
            'models_refused': self._refused_models,
            'model_failures': self._engine.failures,
        }


def main(args: Sequence[str] | None = None) -> int:
    """Run the twin until it is told to stop."""
    return run_node(TwinNode, args)


if __name__ == '__main__':
    sys.exit(main())

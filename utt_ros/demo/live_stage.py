"""An area with sensors: its file, its nodes, and the simulated peers that its drivers hear."""

import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from utt_ros.errors import UttError
from utt_ros.orchestration.graph import LaunchPlan, graph_nodes, read_area_plan
from utt_ros.orchestration.spec import NodeSpec, ProcessSpec, process_spec
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.sessions.simulator.figure_detector import SIDE, write_network
from utt_ros.sessions.simulator.live_world import world

POLL_SEC = 0.5
RECORDED = (
    r'/[^/]+/phones/.+', r'/[^/]+/camera/tracks', r'/[^/]+/synced',
    r'/[^/]+/twins/[^/]+/position', '/diagnostics')


@dataclass(frozen=True, slots=True)
class Show:
    """One live demonstration and where it keeps what."""

    out: Path
    seed: int
    seconds: float
    ports: tuple[int, int, int]  # of the camera, and of the drivers of ranges and IMUs

    @property
    def file(self) -> Path:
        """The area file."""
        return self.out / 'areas' / 'area.yaml'

    @property
    def bag(self) -> Path:
        """What was heard."""
        return self.out / 'heard'

    @property
    def begin(self) -> Path:
        """When everybody began to walk."""
        return self.out / 'begin'


def free_ports() -> tuple[int, int, int]:
    """Ports that nobody has at this moment."""
    with ExitStack() as held:
        ears = [held.enter_context(socket.create_server(('127.0.0.1', 0))) for _ in range(3)]
        one, two, three = (ear.getsockname()[1] for ear in ears)
        return one, two, three


def write_area_file(show: Show) -> None:
    """Write the area file and the detector that it names."""
    area = world(show.seed, show.seconds).area.settings
    camera, ftm, imu = show.ports
    network = show.file.with_name('figures.onnx').absolute()
    write_network(area, network)
    told = {name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(area).items()}
    blocks: dict[str, dict[str, Any]] = {
        '/**': {**told, 'depth_error': 0.1, 'drivers': ['camera', 'ftm', 'imu']},
        '/**/sync': {'association': 'fused'},
        '/**/camera': {
            'source': 'opencv', 'opencv': {'location': f'http://127.0.0.1:{camera}/'},
            'longest_wait': 1.0,  # the camera comes later than its driver
            'detection': {'detector': 'onnx', 'model': str(network), 'input_size': SIDE,
                          'score': 0.5, 'overlap': 0.3, 'threads': 1}},
        '/**/ftm': {'source': 'android_udp', 'android_udp': {'host': '127.0.0.1', 'port': ftm}},
        '/**/imu': {'source': 'sensor_logger', 'sensor_logger': {
            'host': '127.0.0.1', 'port': imu, 'reorder': 0.0}}}  # one connection keeps the order
    document = {block: {'ros__parameters': content} for block, content in blocks.items()}
    show.file.write_text(yaml.safe_dump(document, sort_keys=False), encoding='utf-8')


def run(show: Show, watch: Callable[[], None]) -> None:
    """Run the area until everybody has walked; `watch` is called often. Raises UttError."""
    logs = show.out / 'log'
    with Supervisor(processes(show), log_dir=logs) as running:
        while not running.wait(POLL_SEC):
            watch()
    if running.failure:
        raise UttError(f'{running.failure}; its log is in {logs}')


def processes(show: Show) -> list[ProcessSpec]:
    """The graph of the area file as anybody starts it, who listens to it, and the peers.

    The peers begin when the twin has a model, of which what came before were lost.
    """
    area = read_area_plan(show.file)
    plan = LaunchPlan((area,), show.out / 'state', federated=False, log_level='warn')
    topics = tuple(word for topic in RECORDED for word in ('--topic', topic))
    recorder = NodeSpec(
        'recorder', 'recorder', '/utt', arguments=(str(show.bag), *topics),
        ros_arguments=('--log-level', plan.log_level))
    ready = NodeSpec('ready', 'wait_ready', '/utt', arguments=(area.name,))
    camera, ftm, imu = map(str, show.ports)
    peers = ProcessSpec('peers', (
        sys.executable, '-m', 'utt_ros.sessions.simulator.devices', '--seed', str(show.seed),
        '--seconds', f'{show.seconds:g}', '--camera-port', camera, '--ftm-port', ftm,
        '--imu-port', imu, '--begin', str(show.begin)), essential=True, after=ready.label)
    return [*(process_spec(node) for node in (recorder, *graph_nodes(plan), ready)), peers]

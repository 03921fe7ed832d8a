"""The captures of docs/sources, as they would have come."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from utt_ros.drivers.imu import SOURCES
from utt_ros.drivers.imu.network import PortSource
from utt_ros.drivers.transport.sockets import Arrival, PortServer
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.settings import AreaSettings

CAPTURES = Path(__file__).parents[3] / 'docs' / 'sources' / 'captures'
BEGIN_NS = 1_795_000_000_000_000_000  # later than the captures
STEP_NS = 20_000_000


class Replay(PortServer):
    """Lines of a capture, each `line_ns` after the one before."""

    def __init__(self, path: Path, line_ns: int) -> None:
        lines = enumerate(path.read_bytes().splitlines())
        self._arrivals = [Arrival('10.0.0.7', line, BEGIN_NS + n * line_ns) for n, line in lines]

    port = 0

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self, timeout_s: float) -> list[Arrival]:
        return self._arrivals


@pytest.fixture(params=['hyper_imu', 'sensor_logger', 'sensor_streamer'])
def source(request: pytest.FixtureRequest) -> Iterator[PortSource]:
    entry = SOURCES[request.param]
    made = entry.make(entry.settings(), AreaSettings())
    (path,) = CAPTURES.glob(f'{request.param}.*')
    made.server = Replay(path, STEP_NS * (10 if request.param == 'sensor_logger' else 1))
    yield made
    made.close()


def test_a_capture_becomes_a_walk(source: PortSource) -> None:
    samples = source.read(0.0)
    inertial = [sample for sample in samples if isinstance(sample, InertialSample)]
    fields = np.stack([sample.field for sample in samples if isinstance(sample, MagneticSample)])
    assert len(inertial) >= 84  # of 100; the last ones may wait for those that come later
    np.testing.assert_allclose(np.diff([sample.stamp_ns for sample in inertial]), STEP_NS)
    force = np.linalg.norm([sample.accel for sample in inertial], axis=1)
    assert force.mean() == pytest.approx(9.8, abs=0.3)
    assert 0.5 < force.std() < 3.0
    assert np.linalg.norm(fields, axis=1).mean() == pytest.approx(41e-6, abs=1e-6)
    assert not source.counters


def test_messages_of_sensor_server_become_readings() -> None:
    from utt_ros.drivers.imu.formats import parse_sensor_server

    lines = (CAPTURES / 'sensor_server.jsonl').read_text().splitlines()
    readings = [parse_sensor_server(line) for line in lines]
    assert [reading.kind for reading in readings] == ['accel', 'gyro', 'mag'] * 100
    assert readings[0].values == tuple(json.loads(lines[0])['values'])

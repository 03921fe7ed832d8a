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

"""A building as messages: two people who walk through a hall, and a bag of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from utt_ros.sessions.bag_io import write_bag
from utt_ros.sessions.bag_streams import BagStream
from utt_ros.sessions.message_types import typestore
from utt_ros.types import NS_PER_S
from utt_ros.view.scene import Scene
from utt_ros.view.shown_topics import PATTERNS, ShownTopic, match_topic

T0 = 1_700_000_000_000_000_000
TICK_NS = NS_PER_S // 10
SECONDS = 12
TYPES = {kind: type_ for kind, type_, _ in PATTERNS}


def _time(stamp_ns: int) -> Any:
    sec, nanosec = divmod(stamp_ns, NS_PER_S)
    return typestore().types['builtin_interfaces/msg/Time'](sec, nanosec)


def _header(stamp_ns: int, frame: str = 'hall') -> Any:
    return typestore().types['std_msgs/msg/Header'](_time(stamp_ns), frame)


def _pose(x: float, y: float, z: float = 0.0) -> Any:
    types = typestore().types
    return types['geometry_msgs/msg/Pose'](
        types['geometry_msgs/msg/Point'](x, y, z),
        types['geometry_msgs/msg/Quaternion'](0.0, 0.0, 0.0, 1.0))


class Messages:
    """Maker of serialized messages; stamps are seconds after T0."""

    def _bytes(self, kind: str, *fields: Any) -> bytes:
        store = typestore()
        return bytes(store.serialize_cdr(store.types[TYPES[kind]](*fields), TYPES[kind]))

    def position(self, seconds: float, x: float, y: float, variance: float = 0.04) -> bytes:
        covariance = np.zeros(36)
        covariance[[0, 7]] = variance
        pose = typestore().types['geometry_msgs/msg/PoseWithCovariance'](_pose(x, y), covariance)
        return self._bytes('position', _header(T0 + round(seconds * 1e9)), pose)

    def future(self, seconds: float, points: list[tuple[float, float]]) -> bytes:
        header = _header(T0 + round(seconds * 1e9))
        kind = typestore().types['geometry_msgs/msg/PoseStamped']
        return self._bytes('future', header, [kind(header, _pose(x, y)) for x, y in points])

    def status(
        self, seconds: float, people: dict[str, str], area: str = 'hall',
        pose: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0), round_: int = 3,
    ) -> bytes:
        return self._bytes(
            'status', _header(T0 + round(seconds * 1e9), area), area, np.array(pose), round_, True,
            ['camera', 'ftm', 'imu'], [], list(people), list(people.values()),
            np.full(len(people), 0.2, np.float32), 10, 0, 10, 1.0, 2.5, '')

    def outline(self, seconds: float, people: tuple[str, ...] = ()) -> bytes:
        types = typestore().types
        zero = types['builtin_interfaces/msg/Duration'](0, 0)
        vector, color = types['geometry_msgs/msg/Vector3'], types['std_msgs/msg/ColorRGBA']
        point = types['geometry_msgs/msg/Point']
        image = types['sensor_msgs/msg/CompressedImage'](_header(0), '', np.empty(0, np.uint8))
        mesh = types['visualization_msgs/msg/MeshFile']('', np.empty(0, np.uint8))

        def marker(namespace: str, kind: int, pose: Any, points: list[Any]) -> Any:
            return types['visualization_msgs/msg/Marker'](
                _header(T0 + round(seconds * 1e9)), namespace, 0, kind, 0, pose,
                vector(1.0, 1.0, 1.0), color(1.0, 1.0, 1.0, 1.0), zero, False, points, [], '',
                image, [], '', '', mesh, False)

        shapes = [
            marker('area', 1, _pose(1.0, 2.0, 2.5), []),
            marker('area', 4, _pose(0.0, 0.0), [
                point(1.0, -1.0, 0.0), point(12.0, -9.0, 0.0), point(12.0, 9.0, 0.0),
                point(1.0, 1.0, 0.0), point(1.0, -1.0, 0.0)])]
        return self._bytes('outline', [
            *shapes, *(marker(f'twin/{name}', 2, _pose(5.0, 5.0), []) for name in people)])

    def truth(self, seconds: float, x: float, y: float) -> bytes:
        types = typestore().types
        still = types['geometry_msgs/msg/Vector3'](0.0, 0.0, 0.0)
        return self._bytes(
            'truth', _header(T0 + round(seconds * 1e9)), 'hall/ann',
            types['geometry_msgs/msg/PoseWithCovariance'](_pose(x, y), np.zeros(36)),
            types['geometry_msgs/msg/TwistWithCovariance'](
                types['geometry_msgs/msg/Twist'](still, still), np.zeros(36)))

    def boxes(self, kind: str, seconds: float, names: tuple[str, ...], depth: float) -> bytes:
        track = typestore().types['utt_ros/msg/Track']
        return self._bytes(kind, _header(T0 + round(seconds * 1e9)), [
            track(name, name, 300.0 + 200 * row, 360.0, depth, 80.0, 200.0, 1.0)
            for row, name in enumerate(names)])

    def range(self, seconds: float, range_m: float) -> bytes:
        return self._bytes('virtual_ftm', _header(T0 + round(seconds * 1e9)), 'ann', 'ap',
                           range_m, 0.2, -50.0, 8, 8)

    def imu(self, seconds: float, accel: tuple[float, float, float]) -> bytes:
        types = typestore().types
        return self._bytes(
            'twin_imu', _header(T0 + round(seconds * 1e9)),
            types['geometry_msgs/msg/Quaternion'](0.0, 0.0, 0.0, 1.0), np.zeros(9),
            types['geometry_msgs/msg/Vector3'](0.1, 0.2, 0.3), np.zeros(9),
            types['geometry_msgs/msg/Vector3'](*accel), np.zeros(9))

    def synced(self, seconds: float, names: tuple[str, ...], seen: bool = True) -> bytes:
        count, rows = len(names), 5
        camera = np.tile(np.array([640, 360, 6.0, 80, 200], np.float32), (count, 1))
        return self._bytes(
            'synced', _header(T0 + round(seconds * 1e9)), 0, 0, True, list(names),
            ['1'] * count, np.ones(count, np.float32), camera.ravel(),
            np.full(count, seen, np.uint8), np.tile(np.float32([5.5, 0.3]), count),
            np.zeros(count, np.float32), np.ones(count, np.uint8), 0, np.empty(0, np.float32),
            np.empty(0, np.float32), np.empty(0, np.uint8), rows,
            np.tile(np.arange(9, dtype=np.float32), count * rows),
            np.ones(count * rows, np.uint8))

    def floor(self, rows: int, columns: int, cells: list[int] | None = None) -> bytes:
        types = typestore().types
        info = types['nav_msgs/msg/MapMetaData'](_time(T0), 0.5, columns, rows, _pose(-2.0, -3.0))
        values = np.zeros(rows * columns, np.int8) if cells is None else np.array(cells, np.int8)
        return self._bytes('floor', _header(T0, 'map'), info, values)

    def metrics(
        self, area: str, round_: int, errors: dict[str, float],
        gates: dict[str, float] | None = None,
    ) -> bytes:
        lists = [part for each in (errors, gates or {})
                 for part in (list(each), np.array(list(each.values()), np.float32))]
        return self._bytes('metrics', _header(T0), area, round_, 10, 5, 20, 0.5, *lists)

    def rounds(self, round_: int, accepted: list[str]) -> bytes:
        return self._bytes(
            'rounds', _header(T0), 'fed', round_, 'collecting', 2, 10.0, accepted,
            np.array([5] * len(accepted), np.uint64), [], [], 0, 0, 1.0, [], [], '', 0,
            np.empty(0, np.uint8))

    def twins(self, area: str, made: dict[str, tuple[str, list[str], list[str], float]]) -> bytes:
        """`made`: task, sources, parents and NMSE_var by id."""
        kind = typestore().types['utt_ros/msg/TaskTwin']
        channels = {'trajectory': ['depth_m'], 'position': ['range_m'],
                    'tracking': ['accel_x_mps2']}
        return self._bytes('twins', _header(T0), area, [
            kind(name, area, task, sources, 'fed', 1, '0' * 64,
                 '' if not parents else f'{name}.safetensors',
                 'transfer' if parents else 'native', parents, '', 0, '', '', 0, channels[task],
                 np.array([error]), np.array([0.1]), 'serving', bool(parents), _time(T0))
            for name, (task, sources, parents, error) in made.items()])


@pytest.fixture(scope='session')
def say() -> Messages:
    return Messages()


@pytest.fixture
def scene() -> Scene:
    fresh = Scene()
    fresh.now_ns = T0
    return fresh


@pytest.fixture
def tell(scene: Scene) -> Callable[..., None]:
    """Let the scene receive messages: `tell('/hall/twin_status', 'status', data)`."""

    def receive(name: str, kind: str, *messages: bytes) -> None:
        topic = match_topic(name, (TYPES[kind],))
        assert isinstance(topic, ShownTopic)
        assert topic.kind == kind
        scene.receive(topic, messages)

    return receive


def _walls(rows: int, columns: int) -> list[int]:
    cells = np.zeros((rows, columns), int)
    cells[[0, -1]] = cells[:, [0, -1]] = 100
    return cells.ravel().tolist()


def _walk(tick: int, side: float) -> tuple[float, float]:
    return 3.0 + 0.5 * tick * TICK_NS / NS_PER_S, side


@pytest.fixture(scope='session')
def evening(say: Messages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record 12 s of a hall: ann, whom a camera sees, and bob walk ahead at 0.5 m/s."""
    ticks = range(SECONDS * 10)
    stamps = np.array([T0 + tick * TICK_NS for tick in ticks])
    people = {'ann': 'camera+ftm+imu', 'bob': 'ftm+imu'}

    def stream(name: str, kind: str, every: int, make: Callable[[int], bytes]) -> BagStream:
        return BagStream(name, TYPES[kind], True, stamps[::every],
                         [make(tick) for tick in ticks[::every]])

    streams = [
        stream('/hall/twin_status', 'status', 10, lambda tick: say.status(tick / 10, people)),
        stream('/hall/markers', 'outline', 5, lambda tick: say.outline(tick / 10, ('ann',))),
        stream('/hall/training_metrics', 'metrics', 40,
               lambda tick: say.metrics('hall', tick // 40, {'transfer:ftm->imu': 0.9})),
        stream('/hall/camera/tracks', 'boxes', 1,
               lambda tick: say.boxes('boxes', tick / 10, ('ann',), 6.0)),
        stream('/hall/synced', 'synced', 1,
               lambda tick: say.synced(tick / 10, ('ann', 'bob'))),
        stream('/utt/rounds', 'rounds', 40, lambda tick: say.rounds(tick // 40, ['hall'])),
        stream('/utt/twins', 'twins', 1000, lambda _: say.twins('hall', {
            'hall_position': ('position', ['ftm'], [], np.nan),
            'hall_position_2': ('position', ['imu'], ['hall_position'], 0.5)})),
        stream('/map', 'floor', 1000, lambda _: say.floor(36, 48, _walls(36, 48))),
        stream('/hall/twins/hall_position_2/phones/ann/ftm', 'virtual_ftm', 1,
               lambda tick: say.range(tick / 10, 4.0 + np.sin(tick / 10))),
        stream('/hall/twins/ann/imu', 'twin_imu', 1,
               lambda tick: say.imu(tick / 10, (0.0, 0.0, 9.8)))]
    for name, side in (('ann', 1.0), ('bob', -2.0)):
        streams += [
            stream(f'/hall/twins/{name}/position', 'position', 1,
                   lambda tick, side=side: say.position(tick / 10, *_walk(tick, side))),
            stream(f'/hall/twins/{name}/trajectory', 'future', 1,
                   lambda tick, side=side: say.future(
                       tick / 10, [_walk(tick + step, side) for step in range(1, 31)]))]
    folder = tmp_path_factory.mktemp('view') / 'evening'
    write_bag(folder, streams, {})
    return folder


@pytest.fixture
def steps() -> Iterator[int]:
    """Count the nanoseconds of a steady clock in steps of an update."""
    return iter(range(NS_PER_S, 10_000 * NS_PER_S, TICK_NS))

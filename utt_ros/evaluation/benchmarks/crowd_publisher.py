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

"""Crowd of a view: a process that publishes people of many areas as their twins do.

Positions and predicted paths of everybody are published at RATE_HZ, status and shapes of each area
once a second.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
import rclpy
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.signals import SignalHandlerOptions
from visualization_msgs.msg import MarkerArray

from utt_ros.bridge.messages.markers import area_markers
from utt_ros.bridge.messages.predictions import path_messages, position_messages
from utt_ros.bridge.node.process import StopRequest
from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.evaluation.benchmarks.circling_walkers import CirclingWalkers
from utt_ros.msg import TwinStatus
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import NS_PER_S, FloatArray

RATE_HZ = 10
AREAS_PER_ROW = 5
AREA_SPACING_M = 25.0
DEVIATION_M = 0.4


def crowd_areas(areas: int) -> list[AreaSettings]:
    """Return areas on a grid of one floor."""
    return [AreaSettings(area=f'room{number:02d}', map_pose=(
        AREA_SPACING_M * (number % AREAS_PER_ROW), AREA_SPACING_M * (number // AREAS_PER_ROW),
        0.0, 0.0)) for number in range(areas)]


def crowd_names(area: AreaSettings, people: int) -> list[str]:
    """Return the names of the people of an area, who are in no other."""
    return [f'{area.area}_p{number}' for number in range(people)]


class CrowdArea:
    """Publishers of an area, and its people who walk in circles."""

    def __init__(self, node: Node, area: AreaSettings, people: int, seed: int) -> None:
        self._area, self._names = area, crowd_names(area, people)
        self._walkers, self._window = CirclingWalkers(people, seed), WindowSettings()
        self._status = node.create_publisher(TwinStatus, f'/{area.area}/twin_status', RELIABLE)
        self._markers = node.create_publisher(MarkerArray, f'/{area.area}/markers', RELIABLE)
        self._positions = [node.create_publisher(
            PoseWithCovarianceStamped, f'/{area.area}/twins/{name}/position', SENSOR)
            for name in self._names]
        self._paths = [node.create_publisher(Path, f'/{area.area}/twins/{name}/trajectory', SENSOR)
                       for name in self._names]

    def publish(self, stamp_ns: int, seconds: float, *, status: bool) -> None:
        """Publish a tick; `seconds` says where people are on their circles."""
        ahead = seconds + self._window.period * np.arange(self._window.horizon + 1)
        walks = self._walkers.positions(ahead).astype(np.float32)  # (H + 1, P, 2)
        covariance = np.broadcast_to(
            np.eye(2, dtype=np.float32) * DEVIATION_M**2, (len(self._names), 2, 2))
        future_ns = stamp_ns + np.round(
            (ahead[1:] - seconds) * NS_PER_S).astype(np.int64)
        name = self._area.area
        _send(self._positions, position_messages(name, walks[0], covariance, stamp_ns))
        _send(self._paths, path_messages(
            name, _by_person(walks[1:]), stamp_ns, future_ns))
        if status:
            self._status.publish(self._status_message())
            if self._markers.get_subscription_count():
                self._markers.publish(area_markers(self._area))

    def _status_message(self) -> TwinStatus:
        count = len(self._names)
        return TwinStatus(
            area=self._area.area, map_pose=list(self._area.pose_in_map), round=1, model_ready=True,
            modalities=list(self._area.modalities), subjects=self._names,
            sources=['camera+ftm+imu' if number % 2 else 'ftm+imu' for number in range(count)],
            position_std=[DEVIATION_M] * count)


def _by_person(walks: FloatArray) -> FloatArray:
    return np.ascontiguousarray(np.swapaxes(walks, 0, 1))


def _send(publishers: Sequence[Publisher], messages: Sequence[bytes]) -> None:
    for publisher, data in zip(publishers, messages, strict=True):
        publisher.publish(data)


def publish_crowd(crowd: Sequence[CrowdArea], stop: Callable[[], bool]) -> None:
    """Publish at RATE_HZ until `stop`; a late tick does not delay the ones after it."""
    begin_s = time.monotonic()
    for tick in count():
        due_s = begin_s + tick / RATE_HZ
        while (left_s := due_s - time.monotonic()) > 0.0:
            if stop():
                return
            time.sleep(left_s)
        if stop():
            return
        for area in crowd:
            area.publish(time.time_ns(), tick / RATE_HZ, status=tick % RATE_HZ == 0)


def main(args: Sequence[str] | None = None) -> int:
    """Publish until SIGINT."""
    parser = argparse.ArgumentParser(prog='crowd', description=__doc__)
    parser.add_argument('areas', type=int)
    parser.add_argument('people', type=int, help='of each area')
    options = parser.parse_args(args)
    stop = StopRequest()
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('crowd')
    publish_crowd([CrowdArea(node, area, options.people, seed)
                   for seed, area in enumerate(crowd_areas(options.areas))], stop)
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())

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

"""Naive pipeline, as a competent newcomer would write it first: docs/performance.md.

One process and one SingleThreadedExecutor. Per phone message_filters joins tracks, ranges and IMU;
the callback updates the phone's windows, runs the model eagerly, and publishes the same three
outputs as the twin node. It has no particle filter, no checks of input and no status, which would
make it slower still.
"""

import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rclpy
import torch
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Path as NavPath
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Imu, MagneticField

from utt_ros.bridge.compat import message_filters
from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.evaluation.benchmarks.load_messages import AREA, phone_names
from utt_ros.evaluation.benchmarks.reference_model import read_twin
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import estimate_heading
from utt_ros.models.onnx_export import LiveGraph
from utt_ros.motion.features import phone_context
from utt_ros.msg import FtmRange, Tracks
from utt_ros.settings import WindowSettings
from utt_ros.types import NS_PER_S

filters = message_filters.load_message_filters()
QUEUE, SLOP_SEC = 200, 0.1
IMU_HZ = 100


class NaivePhone:
    """Joined streams, windows and publishers of one phone."""

    def __init__(self, node: Node, name: str, tracks: object, graph: LiveGraph) -> None:
        self._name, self._graph, self._node = name, graph, node
        self._window: WindowSettings = graph.twin.window
        rows_per_s = self._window.imu_rows / self._window.period
        self._stride = round(IMU_HZ / rows_per_s)
        self._boxes: deque[list[float]] = deque(maxlen=self._window.ticks)
        self._ranges: deque[list[float]] = deque(maxlen=self._window.ticks)
        self._imu: deque[list[float]] = deque(
            maxlen=self._window.ticks * self._window.imu_rows * self._stride)
        self._field = [0.0, 0.0, 0.0]
        self.joined: list[tuple[int, int]] = []  # stamps of the frame and of the newest input
        self._camera = CameraModel(AREA)
        base = f'phones/{name}'
        node.create_subscription(MagneticField, f'{base}/imu/mag', self._on_mag, SENSOR)
        ftm = filters.Subscriber(node, FtmRange, f'{base}/ftm', qos_profile=SENSOR)
        imu = filters.Subscriber(node, Imu, f'{base}/imu/data_raw', qos_profile=SENSOR)
        imu.registerCallback(self._on_imu)
        joined = filters.ApproximateTimeSynchronizer([tracks, ftm, imu], QUEUE, SLOP_SEC)
        joined.registerCallback(self._on_joined)
        self._keep = (ftm, imu, joined)
        out = f'twins/{name}'
        self._position = node.create_publisher(
            PoseWithCovarianceStamped, f'{out}/position', RELIABLE)
        self._trajectory = node.create_publisher(NavPath, f'{out}/trajectory', RELIABLE)
        self._synthesized = node.create_publisher(Imu, f'{out}/imu', RELIABLE)

    def _on_mag(self, message: MagneticField) -> None:
        field = message.magnetic_field
        self._field = [field.x, field.y, field.z]

    def _on_imu(self, message: Imu) -> None:
        accel, gyro = message.linear_acceleration, message.angular_velocity
        self._imu.append([accel.x, accel.y, accel.z, gyro.x, gyro.y, gyro.z, *self._field])

    def _on_joined(self, tracks: Tracks, ftm: FtmRange, imu: Imu) -> None:
        stamps = [message.header.stamp for message in (tracks, ftm, imu)]
        self.joined.append((stamp_nanoseconds(stamps[0]), max(map(stamp_nanoseconds, stamps))))
        for track in tracks.tracks:
            if track.subject == self._name:
                box = [track.center_x, track.center_y, track.depth, track.width, track.height]
                self._boxes.append(box)
                self._ranges.append([ftm.range, ftm.range_std])
                self._predict(tracks.header.stamp, np.array(box))

    def _predict(self, stamp: Time, box: npt.NDArray[np.float64]) -> None:
        rows = list(self._imu)[::-self._stride][::-1]
        camera, camera_mask = latest_window(self._boxes, self._window.ticks, 5)
        ftm, ftm_mask = latest_window(self._ranges, self._window.ticks, 2)
        imu, imu_mask = latest_window(rows, self._window.ticks * self._window.imu_rows, 9)
        rows_of_imu = imu.numpy(), imu_mask.numpy()
        row_s = self._window.period / self._window.imu_rows
        phone = estimate_heading(*rows_of_imu, row_s, AREA.magnetic_yaw)
        context = torch.from_numpy(phone_context(*rows_of_imu, row_s, phone.valid, phone.turns))
        with torch.no_grad():
            _, _, future, _, synthesized, *_ = self._graph(
                camera, camera_mask, ftm, ftm_mask, imu, imu_mask, context)
        position = self._camera.back_project(box)
        cos, sin = np.cos(phone.heading[0]), np.sin(phone.heading[0])
        turn = np.array([[cos, -sin], [sin, cos]])
        self._publish_position(stamp, position, self._camera.covariance(box))
        self._publish_trajectory(stamp, position + future[0].numpy() @ turn.T)
        self._publish_imu(stamp, synthesized[0, -1].numpy())

    def _publish_position(
        self, stamp: Time, position: npt.NDArray[np.float64], covariance: npt.NDArray[np.float64],
    ) -> None:
        message = PoseWithCovarianceStamped()
        message.header.stamp, message.header.frame_id = stamp, AREA.area
        message.pose.pose.position.x = float(position[0])
        message.pose.pose.position.y = float(position[1])
        message.pose.covariance[0], message.pose.covariance[1] = covariance[0]
        message.pose.covariance[6], message.pose.covariance[7] = covariance[1]
        self._position.publish(message)

    def _publish_trajectory(self, stamp: Time, points: npt.NDArray[np.float64]) -> None:
        message = NavPath()
        message.header.stamp, message.header.frame_id = stamp, AREA.area
        for x, y in points:
            pose = PoseStamped()
            pose.header.stamp, pose.header.frame_id = stamp, AREA.area
            pose.pose.position.x, pose.pose.position.y = float(x), float(y)
            message.poses.append(pose)
        self._trajectory.publish(message)

    def _publish_imu(self, stamp: Time, row: npt.NDArray[np.float32]) -> None:
        message = Imu()
        message.header.stamp, message.header.frame_id = stamp, self._name
        accel, gyro = message.linear_acceleration, message.angular_velocity
        accel.x, accel.y, accel.z = (float(value) for value in row[:3])
        gyro.x, gyro.y, gyro.z = (float(value) for value in row[3:6])
        message.orientation_covariance[0] = -1.0
        self._synthesized.publish(message)


def latest_window(
    rows: Sequence[Sequence[float]], length: int, width: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The newest rows at the end of a window (1, length, width), and their mask."""
    values, mask = torch.zeros(1, length, width), torch.zeros(1, length, dtype=torch.bool)
    if rows:
        newest = torch.tensor(list(rows)[-length:], dtype=torch.float32)
        values[0, -len(newest):], mask[0, -len(newest):] = newest, True
    return values, mask


def stamp_nanoseconds(stamp: Time) -> int:
    """Convert a stamp to integer nanoseconds."""
    return int(stamp.sec * NS_PER_S + stamp.nanosec)


def main(args: Sequence[str] | None = None) -> int:
    """Run until SIGINT: `naive PHONES CONFIG OUT`; OUT.npy lists the inputs of each prediction."""
    phones, config, out = (args or sys.argv[1:])[:3]
    torch.set_num_threads(1)
    rclpy.init(args=[])
    node = rclpy.create_node('naive', namespace=AREA.area)
    tracks = filters.Subscriber(node, Tracks, 'camera/tracks', qos_profile=SENSOR)
    graph = LiveGraph(read_twin(Path(config)))
    pipelines = [NaivePhone(node, name, tracks, graph) for name in phone_names(int(phones))]
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()
    joined = [
        (number, *stamps) for number, phone in enumerate(pipelines) for stamps in phone.joined]
    np.save(out, np.array(joined, np.int64).reshape(-1, 3))
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())

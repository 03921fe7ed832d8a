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

"""Area file of the simulated devices: drivers, their ports, and a detector of drawn figures."""

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from utt_ros.sessions.simulator.figure_detector import NETWORK_SIDE_PX, write_figure_detector
from utt_ros.sessions.simulator.live_world import live_session_plan
from utt_ros.settings import to_mapping

BOX_ERROR_PX = 3.0  # 1.5 px of the network; chosen with other seeds: docs/simulator.md, section 7


def free_ports() -> tuple[int, int, int]:
    """Find three ports that are free at this moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(('127.0.0.1', 0))) for _ in range(3)]
        camera, ftm, imu = (listener.getsockname()[1] for listener in sockets)
        return camera, ftm, imu


def write_live_area(file: Path, seed: int, ports: tuple[int, int, int]) -> None:
    """Write the area file and, beside it, the detector that it names.

    `ports`: of the camera, and of the FTM and IMU drivers.
    """
    area = live_session_plan(seed, 1.0).area.settings
    camera, ftm, imu = ports
    network = file.with_name('figures.onnx').absolute()
    write_figure_detector(area, network)
    values = to_mapping(area)
    blocks: dict[str, dict[str, Any]] = {
        '/**': {**values, 'depth_error': 0.1, 'drivers': ['camera', 'ftm', 'imu']},
        '/**/sync': {'association': 'fused'},
        '/**/twin': {'belief': {'box_error': BOX_ERROR_PX}},
        '/**/camera': {
            'source': 'opencv', 'opencv': {'location': f'http://127.0.0.1:{camera}/'},
            'longest_wait': 1.0,  # the camera starts later than its driver
            'detection': {'detector': 'onnx', 'model': str(network), 'input_size': NETWORK_SIDE_PX,
                          'score': 0.5, 'overlap': 0.3, 'threads': 1}},
        '/**/ftm': {'source': 'android_udp', 'android_udp': {'host': '127.0.0.1', 'port': ftm}},
        '/**/imu': {'source': 'sensor_logger', 'sensor_logger': {
            'host': '127.0.0.1', 'port': imu, 'reorder': 0.0}}}  # one connection keeps the order
    document = {block: {'ros__parameters': content} for block, content in blocks.items()}
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding='utf-8')

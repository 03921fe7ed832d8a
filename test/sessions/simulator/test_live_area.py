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

"""The area file of the simulated devices."""

from pathlib import Path

from utt_ros.cli.driver_config import read_driver_config
from utt_ros.orchestration.launch_plan import read_area_plan
from utt_ros.sessions.simulator.live_area import free_ports, write_live_area


def test_drivers_listen_on_the_ports_of_the_devices(tmp_path: Path) -> None:
    ports = free_ports()
    write_live_area(tmp_path / 'area.yaml', 0, ports)
    area = read_area_plan(tmp_path / 'area.yaml')
    assert area.drivers == ('camera', 'ftm', 'imu')
    assert len(set(ports)) == 3
    sources = {kind: read_driver_config(area, kind) for kind in area.drivers}
    assert {kind: told.name for kind, told in sources.items()} == {
        'camera': 'opencv', 'ftm': 'android_udp', 'imu': 'sensor_logger'}
    for kind, port in zip(('ftm', 'imu'), ports[1:], strict=True):
        with sources[kind].make() as source:
            words = vars(source)
            server = words.get('server') or words['_server']
            assert server.port == port
    assert sources['camera'].make().status()['people'] == 0  # its network can be read

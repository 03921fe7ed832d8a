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

"""Drivers of a plan listen on ports that are named at the start, and that no other one has."""

from dataclasses import replace
from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.orchestration.environment import prepare_plan
from utt_ros.orchestration.launch_plan import LaunchPlan, read_area_plan
from utt_ros.orchestration.phone_ports import check_phone_ports, phone_ports


def test_ports_for_phones_are_named_with_their_addresses(tmp_path: Path) -> None:
    file = tmp_path / 'area.yaml'
    file.write_text("""
/**:
  ros__parameters: {area: hall, drivers: [camera, ftm, imu]}
/**/ftm:
  ros__parameters: {source: android_udp, android_udp.port: 9000}
/**/imu:
  ros__parameters: {source: sensor_logger, sensor_logger.host: 127.0.0.1}
""")
    plan = LaunchPlan((read_area_plan(file),))
    assert [str(port) for port in phone_ports(plan)] == [
        'hall: ftm listens for phones on 0.0.0.0:9000',
        'hall: imu listens for phones on 127.0.0.1:8000']
    replayed = replace(plan.areas[0], bags=(tmp_path,))
    assert phone_ports(replace(plan, areas=(replayed,))) == []
    assert phone_ports(replace(plan, nodes=False)) == []


def test_sources_that_open_no_port_are_not_named(tmp_path: Path) -> None:
    file = tmp_path / 'area.yaml'
    file.write_text("""
/**:
  ros__parameters: {area: hall, drivers: [ftm, imu]}
/**/ftm:
  ros__parameters: {source: no_such_source}
/**/imu:
  ros__parameters: {source: sensor_server}
""")
    assert phone_ports(LaunchPlan((read_area_plan(file),))) == []


def plan_of(folder: Path, **drivers: str) -> LaunchPlan:
    """Plan areas by name, each with the parameters of its ftm driver."""
    plans = []
    for name, parameters in drivers.items():
        file = folder / f'{name}.yaml'
        file.write_text(f"""
/**:
  ros__parameters: {{area: {name}, drivers: [ftm]}}
/**/ftm:
  ros__parameters: {{{parameters}}}
""")
        plans.append(read_area_plan(file))
    return LaunchPlan(tuple(plans))


@pytest.mark.parametrize('stairs', [
    'source: android_udp, android_udp.port: 9000',
    'source: android_udp, android_udp.port: 9000, android_udp.host: 127.0.0.1'])
def test_two_drivers_on_one_port_are_refused(tmp_path: Path, stairs: str) -> None:
    plan = plan_of(
        tmp_path, hall='source: android_udp, android_udp.port: 9000', stairs=stairs)
    with pytest.raises(SettingsError, match=r'hall: ftm listens for phones on 0\.0\.0\.0:9000, '
                       r'and stairs: ftm on .*:9000: give one of them another port'):
        prepare_plan(replace(plan, state_dir=tmp_path))
    assert not (tmp_path / 'keys').exists(), 'refused before anything is made'


@pytest.mark.parametrize(('hall', 'stairs'), [
    ('source: android_udp, android_udp.port: 9000', 'source: android_udp, android_udp.port: 9001'),
    ('source: android_udp', 'source: android_http, android_http.port: 9710'),
    ('source: android_udp, android_udp.host: 127.0.0.1',
     'source: android_udp, android_udp.host: 127.0.0.2'),
    ('source: android_udp, android_udp.port: many', 'source: android_udp, android_udp.port: many'),
])
def test_other_ports_protocols_addresses_and_what_is_no_port_pass(
    tmp_path: Path, hall: str, stairs: str,
) -> None:
    check_phone_ports(plan_of(tmp_path, hall=hall, stairs=stairs))

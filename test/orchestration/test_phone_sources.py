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

"""Phone drivers of a plan: ports are named at the start, and what areas name alike is shared."""

from dataclasses import replace
from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.orchestration.environment import prepare_plan
from utt_ros.orchestration.launch_plan import LaunchPlan, read_area_plan
from utt_ros.orchestration.phone_sources import describe_sources, phone_groups


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
    assert describe_sources(plan) == [
        'hall: ftm listens for phones on 0.0.0.0:9000',
        'hall: imu listens for phones on 127.0.0.1:8000']
    replayed = replace(plan.areas[0], bags=(tmp_path,))
    assert describe_sources(replace(plan, areas=(replayed,))) == []
    assert describe_sources(replace(plan, nodes=False)) == []


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
    assert describe_sources(LaunchPlan((read_area_plan(file),))) == []


NAMED = '{"02:00:00:00:00:0%d": [4.0, 2.0, 2.5]}'


def plan_of(folder: Path, kind: str = 'ftm', **drivers: str) -> LaunchPlan:
    """Plan areas by name, each with the parameters of its driver and a named access point."""
    plans = []
    for number, (name, parameters) in enumerate(drivers.items()):
        file = folder / f'{name}.yaml'
        file.write_text(f"""
/**:
  ros__parameters: {{area: {name}, drivers: [{kind}], access_points: {NAMED % number}}}
/**/{kind}:
  ros__parameters: {{{parameters}}}
""")
        plans.append(read_area_plan(file))
    return LaunchPlan(tuple(plans))


def shared(plan: LaunchPlan) -> list[list[str]]:
    return [[source.area.name for source in group] for group in phone_groups(plan)]


def test_areas_that_name_one_port_share_it(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, hall='source: android_udp', stairs='source: android_udp',
                   attic='android_udp.port: 9000')
    assert shared(plan) == [['hall', 'stairs'], ['attic']]
    assert describe_sources(plan) == ['hall, stairs: ftm listens for phones on 0.0.0.0:9710',
                                      'attic: ftm listens for phones on 0.0.0.0:9000']


def test_areas_that_ask_one_phone_share_it_and_other_phones_are_apart(tmp_path: Path) -> None:
    asked = 'source: sensor_server, sensor_server.devices: [%s], sensor_server.phones: [%s]'
    plan = plan_of(tmp_path, 'imu', hall=asked % ('"a:80", "b:80"', 'ann, bob'),
                   stairs=asked % ('"b:80"', 'bob'), attic=asked % ('"c:80"', 'carl'))
    assert shared(plan) == [['hall', 'stairs'], ['attic']]
    assert describe_sources(plan) == ['hall, stairs: imu reads sensor_server once for all of them']


def test_areas_that_read_one_device_otherwise_read_it_each_for_themselves(tmp_path: Path) -> None:
    asked = 'source: phyphox, phyphox.devices: ["a:80"], phyphox.phones: [ann], phyphox.period: %s'
    assert shared(plan_of(tmp_path, 'imu', hall=asked % '0.1', stairs=asked % '0.2')) == [
        ['hall'], ['stairs']]
    machine = 'source: iio, iio.phone: %s'
    assert shared(plan_of(tmp_path, 'imu', hall=machine % 'a', stairs=machine % 'b')) == [
        ['hall'], ['stairs']]
    assert shared(plan_of(tmp_path, 'imu', hall=machine % 'a', stairs=machine % 'a')) == [
        ['hall', 'stairs']]


@pytest.mark.parametrize(('hall', 'stairs', 'reason'), [
    ('android_udp.port: 9000', 'android_udp.port: 9000, android_udp.host: 127.0.0.1', 'host is'),
    ('android_udp.devices: [a], android_udp.phones: [ann]', 'source: android_udp',
     'devices are listed in hall and not in stairs'),
    ('queue: 5', 'queue: 6', 'queue is 5 in hall and 6 in stairs'),
])
def test_port_that_areas_cannot_share_is_refused_before_anything_starts(
    tmp_path: Path, hall: str, stairs: str, reason: str,
) -> None:
    plan = plan_of(tmp_path, hall=hall, stairs=stairs)
    with pytest.raises(SettingsError, match=r'hall: ftm listens for phones on 0\.0\.0\.0:\d+, and '
                       rf'so does stairs: ftm, but they cannot share it: {reason}.*another port'):
        prepare_plan(replace(plan, state_dir=tmp_path))
    assert not (tmp_path / 'keys').exists(), 'refused before anything is made'


def test_ranges_are_not_shared_with_an_area_whose_access_points_have_no_address(
    tmp_path: Path,
) -> None:
    plan = plan_of(tmp_path, hall='source: android_udp', stairs='source: android_udp')
    file = tmp_path / 'stairs.yaml'
    file.write_text(file.read_text().replace(NAMED % 1, '{}'))
    plan = replace(plan, areas=(plan.areas[0], read_area_plan(file)))
    with pytest.raises(SettingsError, match='stairs does not name its access points'):
        phone_groups(plan)


@pytest.mark.parametrize(('hall', 'stairs'), [
    ('source: android_udp, android_udp.port: 9000', 'source: android_udp, android_udp.port: 9001'),
    ('source: android_udp', 'source: android_http, android_http.port: 9710'),
    ('source: android_udp, android_udp.host: 127.0.0.1',
     'source: android_udp, android_udp.host: 127.0.0.2'),
    ('source: android_udp, android_udp.port: many', 'source: android_udp, android_udp.port: many'),
])
def test_other_ports_protocols_addresses_and_what_is_no_port_are_apart(
    tmp_path: Path, hall: str, stairs: str,
) -> None:
    assert all(len(group) == 1 for group in phone_groups(plan_of(
        tmp_path, hall=hall, stairs=stairs)))

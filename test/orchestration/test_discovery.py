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

"""Reach of DDS: closed by default, opened by hosts or by the environment, which is respected."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from utt_ros.errors import SettingsError
from utt_ros.orchestration.discovery import (
    CLOSED_PROFILE,
    FAST_DDS,
    HOSTS_PROFILE,
    LOCALHOST_ONLY,
    OPENING_VARIABLES,
    PEERS,
    PROFILES,
    RANGE,
    choose_reach,
    closed_environment,
    describe_reach,
    discovery_environment,
    open_environment,
    opened_by,
    use_reach,
)
from utt_ros.orchestration.ros_environment import CHECKOUT
from utt_ros.types import NS_PER_S

REGULAR_SEC = 3.0  # between announcements of a participant, by default of Fast DDS
PROFILE_FILES = [str(CHECKOUT / CLOSED_PROFILE), str(CHECKOUT / HOSTS_PROFILE)]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OPENING_VARIABLES, LOCALHOST_ONLY, RANGE, 'RMW_IMPLEMENTATION'):
        monkeypatch.setenv(name, '')  # restored afterwards
        monkeypatch.delenv(name)


@pytest.mark.parametrize('given', [
    {}, {RANGE: 'LOCALHOST'}, {LOCALHOST_ONLY: '1'}, {RANGE: ''}, {PEERS: ''},
    {'RMW_IMPLEMENTATION': 'rmw_fastrtps_cpp'}])
def test_environment_without_other_settings_is_closed(given: dict[str, str]) -> None:
    made = {**given, **discovery_environment(given)}
    assert (made[RANGE], Path(made[PROFILES]).name) == (
        'SYSTEM_DEFAULT', 'fastdds_localhost.xml')
    assert not made.get(LOCALHOST_ONLY)
    assert opened_by(made) == []
    assert '127.0.0.1 alone' in describe_reach(made)
    assert discovery_environment(made) == discovery_environment({}), 'children stay closed'


@pytest.mark.parametrize('profile', PROFILE_FILES)
def test_a_node_announces_itself_until_its_regular_announcements_begin(profile: str) -> None:
    name = '{http://www.eprosima.com}'
    initial = ET.parse(profile).getroot().find(f'.//{name}initialAnnouncements')
    assert initial is not None
    count, period_ns = (int(initial.findtext(f'.//{name}{item}', '0'))
                        for item in ('count', 'nanosec'))
    assert count * period_ns / NS_PER_S > REGULAR_SEC


@pytest.mark.parametrize(('given', 'added'), [
    ({PEERS: '10.0.0.2'}, {RANGE: 'LOCALHOST'}),
    ({RANGE: 'SUBNET'}, {}), ({RANGE: 'SYSTEM_DEFAULT'}, {}), ({RANGE: 'OFF'}, {}),
    ({PROFILES: '/own/profile.xml'}, {RANGE: 'LOCALHOST'}),
    ({'ROS_DISCOVERY_SERVER': 'server:11811'}, {RANGE: 'LOCALHOST'}),
    ({PROFILES: '/own/profile.xml', RANGE: 'SUBNET'}, {}),
])
def test_settings_of_the_user_are_left_and_named(
    given: dict[str, str], added: dict[str, str],
) -> None:
    assert discovery_environment(given) == added
    sentence = describe_reach(given)
    assert all(name in sentence or given[name] in sentence for name in given if name != RANGE)
    assert '127.0.0.1' not in sentence


def test_other_middleware_is_limited_to_the_discovery_of_this_machine() -> None:
    given = {'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'}
    assert discovery_environment(given) == {RANGE: 'LOCALHOST'}
    assert 'its ports are those of rmw_cyclonedds_cpp' in describe_reach(given)


def test_hosts_replace_the_environment_and_loopback_only_closes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PROFILES, '/own/profile.xml')
    choose_reach(('10.0.0.2', 'gate'))
    assert os.environ[PEERS] == '10.0.0.2;gate'
    assert os.environ[RANGE] == 'LOCALHOST'
    assert Path(os.environ[PROFILES]).name == 'fastdds_hosts.xml'
    assert discovery_environment(os.environ) == {}, 'children stay open'
    assert '10.0.0.2, gate' in describe_reach(os.environ)
    choose_reach(())
    assert os.environ[PEERS] == '10.0.0.2;gate', 'without arguments the environment decides'
    choose_reach((), loopback_only=True)
    assert opened_by(os.environ) == []
    assert {name: os.environ.get(name) for name in closed_environment()} == closed_environment()


def test_a_node_of_this_process_reaches_as_far_as_those_of_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in closed_environment():
        monkeypatch.setenv(name, '')
    use_reach(())
    assert {name: os.environ.get(name) for name in closed_environment()} == closed_environment()
    monkeypatch.setenv(PEERS, '')
    use_reach(('10.0.0.2',))
    assert (os.environ[PEERS], opened_by(os.environ)) == ('10.0.0.2', [PEERS])


@pytest.mark.parametrize('hosts', [('a b',), ('a;b',), ('10.0.0.0/8',), ('',)])
def test_hosts_that_are_no_names_are_refused(hosts: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match='names or addresses'):
        choose_reach(hosts)


def test_hosts_and_loopback_only_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match='give one of them'):
        choose_reach(('a',), loopback_only=True)


NODE = """
import rclpy, sys
rclpy.init()
node = rclpy.create_node('closed')
node.create_publisher(__import__('std_msgs.msg').msg.String, '/word', 1)
print('here', flush=True)
sys.stdin.read()
"""


def test_node_of_a_closed_environment_has_no_socket_beyond_127_0_0_1(
    ros_domain: int, monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = {**os.environ, **discovery_environment(os.environ)}
    node = subprocess.Popen([sys.executable, '-c', NODE], env=environment, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert node.stdout.readline() == 'here\n'
        sockets = psutil.Process(node.pid).net_connections('inet')
    finally:
        node.communicate(timeout=30)
    assert len(sockets) >= 3
    assert {item.laddr.ip for item in sockets} == {'127.0.0.1'}


IMAGE = """
import sys
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import UInt8MultiArray
rclpy.init()
node = rclpy.create_node(sys.argv[1])
qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
heard = []
if sys.argv[1] == 'sender':
    image = UInt8MultiArray(data=bytes(3 * 1280 * 720))
    publisher = node.create_publisher(UInt8MultiArray, '/image', qos)
    node.create_timer(0.2, lambda: publisher.publish(image))
else:
    node.create_subscription(UInt8MultiArray, '/image', heard.append, qos)
while not heard:
    rclpy.spin_once(node, timeout_sec=0.1)
print(len(heard[0].data), flush=True)
"""


@pytest.mark.parametrize('opened', [
    closed_environment(), open_environment(['127.0.0.1'])], ids=['closed', 'open'])
def test_an_image_reaches_another_process_of_the_host(
    ros_domain: int, opened: dict[str, str],
) -> None:
    given = {**os.environ, **opened}
    with subprocess.Popen([sys.executable, '-c', IMAGE, 'sender'], env=given) as sender:
        try:
            heard = subprocess.run([sys.executable, '-c', IMAGE, 'reader'], env=given,
                                   capture_output=True, text=True, timeout=60, check=True)
        finally:
            sender.kill()
    assert heard.stdout == f'{3 * 1280 * 720}\n'


BUFFERS = """
import os, socket
import rclpy
rclpy.init()
node = rclpy.create_node('a')
for name in os.listdir('/proc/self/fd'):
    try:
        found = socket.socket(fileno=os.dup(int(name)))
    except OSError:  # it is no socket, or was that of the listing
        continue
    if (found.family, found.type) == (socket.AF_INET, socket.SOCK_DGRAM):
        print(found.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
node.destroy_node()
rclpy.shutdown()
"""


@pytest.mark.slow
def test_sockets_of_discovery_hold_the_answers_of_many_nodes(ros_domain: int) -> None:
    given = {**os.environ, 'RMW_IMPLEMENTATION': FAST_DDS[1], **closed_environment()}
    done = subprocess.run([sys.executable, '-c', BUFFERS], env=given, capture_output=True,
                          text=True, timeout=60, check=True)
    limit = int(Path('/proc/sys/net/core/rmem_max').read_text(encoding='ascii'))
    wanted = 2 * min(2**21, limit)  # Linux doubles it
    assert sum(int(size) >= wanted for size in done.stdout.split()) >= 2

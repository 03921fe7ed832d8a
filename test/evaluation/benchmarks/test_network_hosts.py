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

"""Two hosts on this machine, where it permits them: processes reach each other by the network."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import network_hosts
from utt_ros.evaluation.benchmarks.network_hosts import NetworkHost, open_hosts


@pytest.fixture
def hosts() -> Iterator[tuple[NetworkHost, NetworkHost]]:
    with ExitStack() as opened:
        try:
            found = opened.enter_context(open_hosts())
        except UttError as err:
            pytest.skip(str(err))
        yield found


def output(host: NetworkHost, *words: str) -> str:
    return subprocess.run(host.command(*words), capture_output=True, text=True, check=True,
                          timeout=30).stdout


def test_hosts_have_a_network_and_shared_memory_of_their_own(
    hosts: tuple[NetworkHost, NetworkHost], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('ROS_DISCOVERY_SERVER', 'elsewhere')
    first, second = hosts
    for host in hosts:
        assert set(output(host, 'ls', '/sys/class/net').split()) == {'lo', host.device}
        values = dict(line.partition('=')[::2] for line in output(host, 'env').splitlines())
        assert values['ROS_STATIC_PEERS'] == host.peer
        assert 'ROS_DISCOVERY_SERVER' not in values
    output(first, 'touch', '/dev/shm/utt_hosts_test')
    assert 'utt_hosts_test' in output(first, 'ls', '/dev/shm')
    assert 'utt_hosts_test' not in output(second, 'ls', '/dev/shm')
    assert not Path('/dev/shm/utt_hosts_test').exists()


def test_a_user_without_rights_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, 'geteuid', lambda: 1000)
    with pytest.raises(UttError, match=r'namespaces need root and ip, .*: the user is 1000'), \
            open_hosts():
        pass


def test_a_machine_without_the_programs_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_hosts, 'PROGRAMS', ('no_such_program',))
    with pytest.raises(UttError, match='no_such_program is not installed'), open_hosts():
        pass

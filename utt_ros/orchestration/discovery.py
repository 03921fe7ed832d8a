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

"""Reach of DDS: this machine alone, unless hosts or the environment open it to others."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.orchestration.ros_environment import shared_file

RANGE = 'ROS_AUTOMATIC_DISCOVERY_RANGE'
PEERS = 'ROS_STATIC_PEERS'
LOCALHOST_ONLY = 'ROS_LOCALHOST_ONLY'
PROFILES = 'FASTRTPS_DEFAULT_PROFILES_FILE'
PROFILES_OF_FAST_DDS_3 = 'FASTDDS_DEFAULT_PROFILES_FILE'
CLOSED_PROFILE = 'config/fastdds_localhost.xml'
HOSTS_PROFILE = 'config/fastdds_hosts.xml'
FAST_DDS = ('', 'rmw_fastrtps_cpp', 'rmw_fastrtps_dynamic_cpp')
# Settings of a user that decide the reach of DDS, and so are left as they are.
OPENING_VARIABLES = (
    PEERS, 'ROS_DISCOVERY_SERVER', PROFILES, PROFILES_OF_FAST_DDS_3, 'FASTDDS_BUILTIN_TRANSPORTS',
    'CYCLONEDDS_URI', 'ZENOH_SESSION_CONFIG_URI')


def closed_environment() -> dict[str, str]:
    """Return the environment in which every socket of Fast DDS is bound to 127.0.0.1.

    With the range LOCALHOST, rmw_fastrtps would add a transport whose sockets are not.
    """
    return {RANGE: 'SYSTEM_DEFAULT', **_profile(CLOSED_PROFILE)}


def open_environment(hosts: Sequence[str]) -> dict[str, str]:
    """Return the environment in which nodes find those of other hosts, by name or address.

    Their datagrams fit into one frame of a network (HOSTS_PROFILE).

    Raises SettingsError for a name that cannot be one.
    """
    for host in hosts:
        if not host or any(sign in host for sign in ' ;,/'):
            raise SettingsError(f'hosts has {host!r}: names or addresses, separated by commas')
    return {RANGE: 'LOCALHOST', PEERS: ';'.join(hosts), **_profile(HOSTS_PROFILE)}


def _profile(name: str) -> dict[str, str]:
    path = str(shared_file(name))
    return {PROFILES: path, PROFILES_OF_FAST_DDS_3: path}


def discovery_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to add to an environment: it stays open where it was opened."""
    if opened_by(given):
        return {} if given.get(RANGE) else {RANGE: 'LOCALHOST'}
    if given.get('RMW_IMPLEMENTATION', '') not in FAST_DDS:
        return {RANGE: 'LOCALHOST'}
    former = {LOCALHOST_ONLY: ''} if given.get(LOCALHOST_ONLY) else {}
    return {**former, **closed_environment()}


def opened_by(given: Mapping[str, str]) -> list[str]:
    """Return the variables of an environment that decide the reach of DDS; none: it is closed."""
    own = {Path(profile).name for profile in (CLOSED_PROFILE, HOSTS_PROFILE)}
    found = [name for name in OPENING_VARIABLES
             if given.get(name) and Path(given[name]).name not in own]
    closed_range = ('', 'LOCALHOST', 'SYSTEM_DEFAULT') if given.get(PROFILES) else (
        '', 'LOCALHOST')
    return found + [RANGE] * (given.get(RANGE, '') not in closed_range)


def choose_reach(hosts: Sequence[str], *, loopback_only: bool = False) -> None:
    """Set the environment of this process, and so of its children, as arguments ask.

    Hosts, and `loopback_only`, replace what the environment had; without either it decides.
    """
    if hosts and loopback_only:
        raise SettingsError('--hosts opens DDS to other machines, --loopback-only closes it: '
                            'give one of them')
    if not hosts and not loopback_only:
        return
    chosen = open_environment(hosts) if hosts else closed_environment()
    for name in (*OPENING_VARIABLES, LOCALHOST_ONLY):
        os.environ.pop(name, None)
    os.environ.update(chosen)


def use_reach(hosts: Sequence[str]) -> None:
    """Set the environment of this process for a node of its own, as that of its children is."""
    choose_reach(hosts)
    os.environ.update(discovery_environment(os.environ))


def describe_reach(given: Mapping[str, str]) -> str:
    """Return a sentence about the reach of DDS in an environment."""
    opening = opened_by(given)
    if given.get(PEERS):
        return (f'DDS is open on every interface, for {given[PEERS].replace(";", ", ")}: '
                'see docs/security.md')
    if opening:
        return f'DDS reaches as far as {", ".join(opening)} of the environment allow'
    if given.get('RMW_IMPLEMENTATION', '') not in FAST_DDS:
        return (f'DDS discovers nothing beyond this machine; its ports are those of '
                f'{given["RMW_IMPLEMENTATION"]}')
    return 'DDS listens on 127.0.0.1 alone; hosts opens it to other machines'

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

"""Two hosts on one machine: network namespaces with a cable, and shared memory of their own.

It is as near as one computer gets to two: their processes reach each other by the network alone.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import impaired_cable
from utt_ros.evaluation.benchmarks.impaired_cable import READY, CableSettings
from utt_ros.orchestration.discovery import (
    LOCALHOST_ONLY,
    OPENING_VARIABLES,
    open_environment,
)

PROGRAMS = ('ip', 'nsenter', 'unshare', 'mount')
ADDRESSES = ('10.99.0.1', '10.99.0.2')  # in namespaces, where nobody else has them
PLAIN_CABLE = CableSettings()
SHELL = f'mount -t tmpfs tmpfs /dev/shm && echo {READY} && exec sleep infinity'


@dataclass(frozen=True, slots=True)
class NetworkHost:
    """A network namespace, held by a process with a mount namespace of its own."""

    name: str  # of the namespace
    device: str  # end of the cable
    address: str
    peer: str  # address of the other host
    holder: int  # process

    def command(self, *words: object) -> tuple[str, ...]:
        """Return the command that runs `words` on this host, with DDS open to the other one."""
        unset = [word for name in (*OPENING_VARIABLES, LOCALHOST_ONLY) for word in ('-u', name)]
        values = [f'{name}={value}' for name, value in open_environment([self.peer]).items()]
        return ('nsenter', '--target', str(self.holder), '--mount', '--net', '--', 'env', *unset,
                *values, *map(str, words))


@contextmanager
def open_hosts(
    cable: CableSettings = PLAIN_CABLE,
) -> Iterator[tuple[NetworkHost, NetworkHost]]:
    """Make two hosts while the block runs.

    A cable that is not plain has a namespace of its own, between those of the hosts. Raises
    UttError without root and the programs for it, and where the machine does not permit it.
    """
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        raise UttError('network namespaces need root and ' + ', '.join(PROGRAMS) + ' of iproute2 '
                       'and util-linux: ' + (f'{missing[0]} is not installed' if missing else
                                             f'the user is {os.geteuid()}'))
    names = [f'utt{os.getpid()}{letter}' for letter in 'ab']
    middle = f'utt{os.getpid()}c'
    holders: list[subprocess.Popen[str]] = []
    try:
        _add_namespaces(names if cable.is_plain else [*names, middle])
        if cable.is_plain:
            _join(names, names)
        else:
            ends = [f'{middle}{name[-1]}' for name in names]
            for name, end in zip(names, ends, strict=True):
                _join((name, end), (name, middle))
                _run('ip', '-n', middle, 'link', 'set', end, 'up')
            holders.append(_start(_cable_command(middle, ends, cable)))
        _set_addresses(names)
        for name in names:
            holders.append(_start(  # noqa: PERF401 - one before a failure is ended as well
                ('ip', 'netns', 'exec', name, 'unshare', '--mount', 'sh', '-c', SHELL)))
        first, second = (
            NetworkHost(name, name, own, peer, holder.pid) for name, own, peer, holder in zip(
                names, ADDRESSES, reversed(ADDRESSES), holders[-2:], strict=True))
        yield first, second
    finally:
        for holder in holders:
            holder.send_signal(signal.SIGKILL)
            holder.wait()
        for name in (*names, middle):
            subprocess.run(('ip', 'netns', 'delete', name),  # noqa: S607 - as PROGRAMS
                           capture_output=True, check=False)


def _add_namespaces(names: Sequence[str]) -> None:
    for name in names:
        _run('ip', 'netns', 'add', name)


def _join(devices: Sequence[str], namespaces: Sequence[str]) -> None:
    """Make a pair of devices, one in each namespace."""
    _run('ip', 'link', 'add', devices[0], 'netns', namespaces[0], 'type', 'veth',
         'peer', 'name', devices[1], 'netns', namespaces[1])


def _set_addresses(names: Sequence[str]) -> None:
    """Give each host, whose device has its name, its address."""
    for name, address in zip(names, ADDRESSES, strict=True):
        _run('ip', '-n', name, 'addr', 'add', f'{address}/24', 'dev', name)
        for device in (name, 'lo'):
            _run('ip', '-n', name, 'link', 'set', device, 'up')


def _cable_command(name: str, devices: Sequence[str], cable: CableSettings) -> tuple[str, ...]:
    return ('ip', 'netns', 'exec', name, sys.executable, '-m', impaired_cable.__name__, *devices,
            '--delay-ms', str(cable.delay_ms), '--loss', str(cable.loss),
            '--seed', str(cable.seed))


def _start(words: Sequence[str]) -> subprocess.Popen[str]:
    """Start a process that prints when it is ready."""
    holder = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if holder.stdout is None or holder.stdout.readline() != f'{READY}\n':
        holder.kill()
        _refuse(holder.communicate()[1])
    return holder


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        _refuse(done.stderr)


def _refuse(reason: str) -> None:
    raise UttError(f'this machine does not permit network namespaces: {" ".join(reason.split())}')

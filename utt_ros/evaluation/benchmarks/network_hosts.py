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
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

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
STOP_SEC = 10.0
DEVICE_POLL_SEC = 0.02
MAX_REASON = 400  # characters of what a process wrote
NOT_PERMITTED = 'this machine does not permit network namespaces'
CABLE_FAILED = 'the cable between the hosts does not start'
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
    cable: CableSettings = PLAIN_CABLE, counts: Path = Path(os.devnull),
) -> Iterator[tuple[NetworkHost, NetworkHost]]:
    """Make two hosts while the block runs.

    A cable that is not plain has a namespace of its own, between those of the hosts; the frames
    that it lost are written to `counts`, see `read_lost_frames`. Raises UttError without root and
    the programs for it, where the machine does not permit it, and when the cable or what holds a
    host ends before the block does.
    """
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        raise UttError('network namespaces need root and ' + ', '.join(PROGRAMS) + ' of iproute2 '
                       'and util-linux: ' + (f'{missing[0]} is not installed' if missing else
                                             f'the user is {os.geteuid()}'))
    names = [f'utt{os.getpid()}{letter}' for letter in 'ab']
    middle = f'utt{os.getpid()}c'
    ends = [f'{middle}{name[-1]}' for name in names]
    with ExitStack() as opened:
        for name in names if cable.is_plain else [*names, middle]:
            _run('ip', 'netns', 'add', name)
            opened.callback(subprocess.run, ('ip', 'netns', 'delete', name), check=False,
                            capture_output=True)
        if cable.is_plain:
            _join(names, names)
        else:
            for name, end in zip(names, ends, strict=True):
                _join((name, end), (name, middle))
                _run('ip', '-n', middle, 'link', 'set', end, 'up')
        _set_addresses(names)
        running = {name: _start(opened, NOT_PERMITTED, (
            'ip', 'netns', 'exec', name, 'unshare', '--mount', 'sh', '-c', SHELL))
            for name in names}
        holders = [running[name].pid for name in names]
        if not cable.is_plain:  # last: a device that has no other end yet refuses frames
            running['the cable'] = _start(
                opened, CABLE_FAILED, _cable_command(middle, ends, cable, counts))
        for name in names:
            _wait_until_running(name)
        first, second = (
            NetworkHost(name, name, own, peer, holder) for name, own, peer, holder in zip(
                names, ADDRESSES, reversed(ADDRESSES), holders, strict=True))
        try:
            yield first, second
        except UttError:
            _check_running(running)  # what has failed was perhaps cut off
            raise
        _check_running(running)


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


def _wait_until_running(name: str) -> None:
    """Wait for the device of a host, which Linux reports as running up to a second late.

    DDS looks for devices once, at the start of a process, and knows only running ones.
    """
    end_s = time.monotonic() + STOP_SEC
    while ' state UP ' not in (shown := _run('ip', '-n', name, '-o', 'link', 'show', name)):
        if time.monotonic() > end_s:
            raise UttError(f'{name} is not running after {STOP_SEC:g} s: {_one_line(shown)}')
        time.sleep(DEVICE_POLL_SEC)


def _cable_command(
    name: str, devices: Sequence[str], cable: CableSettings, counts: Path,
) -> tuple[str, ...]:
    return ('ip', 'netns', 'exec', name, sys.executable, '-m', impaired_cable.__name__, *devices,
            '--delay-ms', str(cable.delay_ms), '--loss', str(cable.loss),
            '--seed', str(cable.seed), '--counts', str(counts))


def _start(opened: ExitStack, refusal: str, words: Sequence[str]) -> subprocess.Popen[str]:
    """Start a process that prints when it is ready; it is ended with `opened`."""
    process = opened.enter_context(subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    opened.callback(_end, process)
    if process.stdout is None or process.stdout.readline() != f'{READY}\n':
        process.kill()
        raise UttError(f'{refusal}: {_one_line(process.communicate()[1])}')
    return process


def _end(process: subprocess.Popen[str]) -> None:
    """Let a process write what it counted, and wait for its end."""
    process.terminate()
    try:
        process.wait(STOP_SEC)
    except subprocess.TimeoutExpired:
        process.kill()


def _check_running(processes: Mapping[str, subprocess.Popen[str]]) -> None:
    """Raise UttError for a process that has ended: hosts are then cut off from each other."""
    for name, process in processes.items():
        if process.poll() is not None:
            raise UttError(f'{name} ended by itself, with {process.returncode}, and cut the '
                           f'hosts off: {_one_line(process.communicate()[1])}')


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UttError(f'{NOT_PERMITTED}: {_one_line(done.stderr)}')
    return done.stdout


def _one_line(text: str) -> str:
    return ' '.join(text.split())[-MAX_REASON:]

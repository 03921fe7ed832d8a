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

"""Fork server: a process that has imported the modules of nodes, and forks nodes.

`python -m utt_ros.orchestration.fork_server MODULE... PADDING`; its standard input is a socket to
the supervisor (`fork_client`), and it ends when that closes. To start Python and to import a node
takes most of the time of a start. A fork takes milliseconds, and what was imported is shared.

Two forks make a node. The process between them ends when the supervisor agrees, and the node is
adopted by its supervisor, which is a subreaper at that moment, as if that had started it.
"""

import gc
import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import NamedTuple

from utt_ros.orchestration import node
from utt_ros.orchestration.heartbeat import HEARTBEAT_VARIABLE
from utt_ros.orchestration.parent_guard import end_with_parent
from utt_ros.orchestration.process_title import set_process_title
from utt_ros.orchestration.spec import NODE_PROGRAM
from utt_ros.orchestration.tracer_fork import TracerFork

READY, AGREED, ADOPTED = b'ready', b'agreed', b'adopted'
MAX_REQUEST_BYTES = 65536
DESCRIPTORS = 2  # of a request: output, socket to the node
POLL_SEC = 0.0005
STDIN, STDOUT, STDERR = range(3)


class Request(NamedTuple):
    """Request for a node."""

    arguments: list[str]  # of NODE_PROGRAM
    heartbeat: str  # path
    output: int  # descriptor
    link: socket.socket  # to the supervisor, for this node only


def main() -> int:
    """Import modules of nodes and serve; in a process that was forked: run the node."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # it ends without a traceback
    names = sys.argv[1:-1]
    set_process_title(' '.join([sys.executable, '-m', str(__spec__.name), *names]))
    with socket.socket(fileno=os.dup(STDIN)) as link:
        _move(os.open(os.devnull, os.O_RDONLY), STDIN)
        for name in names:
            with suppress(Exception):  # it fails again in the node, which tells of it
                import_module(name)
        gc.collect()
        gc.freeze()  # pages of objects that live for ever stay shared
        link.send(READY)
        request = fork_requested(link, os.getppid())
    return _run(request) if request else 0


def fork_requested(link: socket.socket, supervisor: int) -> Request | None:
    """Fork nodes until the link closes. In a node, return the request for it."""
    while True:
        message, descriptors, flags, _ = socket.recv_fds(link, MAX_REQUEST_BYTES, DESCRIPTORS)
        if not message:
            return None
        try:
            request = _parse(message, descriptors, flags)
        except (ValueError, LookupError, TypeError, OSError):
            for descriptor in descriptors:  # the end of its socket tells the supervisor
                os.close(descriptor)
            continue
        if _fork(request.link, supervisor):
            return request
        request.link.close()
        os.close(request.output)


def _parse(message: bytes, descriptors: list[int], flags: int) -> Request:
    """Read a request. Raises ValueError, LookupError, TypeError or OSError."""
    if len(descriptors) != DESCRIPTORS or flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise ValueError(f'{len(message)} bytes with {len(descriptors)} descriptors')
    given = json.loads(message)
    arguments, heartbeat = [str(word) for word in given['arguments']], str(given['heartbeat'])
    output, link = descriptors
    return Request(arguments, heartbeat, output, socket.socket(fileno=link))


def _fork(link: socket.socket, supervisor: int) -> bool:
    """Fork a node that the supervisor adopts; return whether this process is the node."""
    tracer = TracerFork()
    try:
        middle = os.fork()
    except OSError:
        tracer.in_parent()
        return False
    if middle:
        tracer.in_parent()
        os.waitpid(middle, 0)
        return False
    middle = os.getpid()
    try:
        child = os.fork()
    except OSError:
        os._exit(1)
    if child:
        _offer(link, child)
    os.setsid()
    while os.getppid() == middle:
        time.sleep(POLL_SEC)
    try:
        end_with_parent(supervisor, signal.SIGKILL)
    except SystemExit:  # a regular end is not for a process whose tracer has no threads
        os._exit(1)
    tracer.in_child()
    return True


def _offer(link: socket.socket, child: int) -> None:
    """Offer a node to the supervisor, then end this process, and the node unless it is wanted."""
    try:
        link.send(str(child).encode())
        agreed = link.recv(len(AGREED)) == AGREED
    except OSError:
        agreed = False
    if not agreed:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    os._exit(0)


def _run(request: Request) -> int:
    """Run the node in this process as if its command had been executed."""
    os.dup2(request.output, STDERR)
    _move(request.output, STDOUT)
    set_process_title(' '.join([*NODE_PROGRAM, *request.arguments]))
    os.environ[HEARTBEAT_VARIABLE] = request.heartbeat
    sys.argv = [node.__file__, *request.arguments]
    with request.link:
        request.link.send(ADOPTED)
    return node.main()


def _move(descriptor: int, to: int) -> None:
    os.dup2(descriptor, to)
    os.close(descriptor)


if __name__ == '__main__':
    sys.exit(main())

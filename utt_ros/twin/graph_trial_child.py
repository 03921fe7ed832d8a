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

"""Child process of a `GraphTrial`: opens and evaluates graphs within limits of time and memory.

`python -m utt_ros.twin.graph_trial_child DESCRIPTOR`, or a fork of a process that has imported
this module. It ends when the socket DESCRIPTOR closes.
"""

import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.settings import WindowSettings
from utt_ros.twin.forked_process import ForkedProcess
from utt_ros.twin.graph_layout import input_shapes
from utt_ros.twin.graph_trial import (
    TRIAL_NICENESS,
    TrialChild,
    receive_message,
    send_message,
)
from utt_ros.twin.onnx_model import MAX_BATCH, OnnxGraph

MAX_TRIAL_MEMORY_BYTES = 2**30  # beyond what the process has at its start
MAX_TRIAL_CPU_SEC = 4  # of a trial, opening included
MAX_EVALUATION_SEC = 0.5  # computing time of one evaluation; a tick has 0.1 s
MAX_OPEN_FILES = 64
LINK = 3  # descriptor of the link in a process that was forked
FEW = (1, 2)  # subjects in the trial of new weights


def serve(link: socket.socket) -> None:
    """Answer trials until the link closes."""
    former: dict[tuple[object, ...], OnnxGraph] = {}
    while True:
        try:
            description, payload = receive_message(link)
        except OSError:
            return
        question = json.loads(description)
        window, outputs = WindowSettings(**question['window']), tuple(question['outputs'])
        key = (window, outputs)
        _limit_cpu()
        try:
            former[key] = try_graph(
                payload, window, outputs, former.get(key), question['access_points'])
            refused = ''
        except ModelError as err:
            refused = str(err)
        except MemoryError:
            refused = 'the graph takes too much memory'
        send_message(link, json.dumps({'refused': refused}).encode())


def try_graph(
    payload: bytes, window: WindowSettings, outputs: Sequence[str], like: OnnxGraph | None,
    access_points: int = 1,
) -> OnnxGraph:
    """Open a graph and evaluate it for all numbers of subjects, or a few where weights are new.

    Memory and computing time depend on that number and the access points of the area only, see
    `graph_schema`. Raises ModelError.
    """
    graph = OnnxGraph(payload, window, outputs, like)
    is_known = like is not None and graph.session is like.session
    for count in FEW if is_known else range(1, MAX_BATCH + 1):
        for present in (False, True) if count in FEW else (True,):
            inputs = {name: np.full((count, *shape), present if name.endswith('_mask') else 0.0)
                      for name, shape in input_shapes(window, access_points).items()}
            begin_s = time.thread_time()
            graph.run(count, inputs)
            seconds = time.thread_time() - begin_s
            if seconds > MAX_EVALUATION_SEC:
                raise ModelError(f'the graph computes for {seconds:.2f} s for {count} subjects: '
                                 f'at most {MAX_EVALUATION_SEC:g} s')
    return graph


def _limit_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + MAX_TRIAL_CPU_SEC
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)  # it stays: a later trial has more time
    resource.setrlimit(resource.RLIMIT_CPU, (_permitted(resource.RLIMIT_CPU, seconds), hard))


def _permitted(kind: int, limit: int) -> int:
    """Return a limit, or the hard one below it, which only privileged processes raise."""
    _, hard = resource.getrlimit(kind)
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)


def confine() -> None:
    """Limit memory, files and core dumps of this process for good."""
    pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[0])
    memory = pages * resource.getpagesize() + MAX_TRIAL_MEMORY_BYTES
    for kind, limit in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 0),
                        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES), (resource.RLIMIT_CORE, 0)):
        lower = _permitted(kind, limit)
        resource.setrlimit(kind, (lower, lower))


def fork_trial() -> TrialChild:
    """Fork the child process of a `GraphTrial`, before this process has threads."""
    near, far = socket.socketpair()
    pid = os.fork()
    if pid:
        far.close()
        return ForkedProcess(pid), near
    try:
        _leave_parent(far)
        serve_confined(LINK)
    finally:
        os._exit(1)


def _leave_parent(link: socket.socket) -> None:
    """Close all that a forked process has of its parent, and move the link to LINK."""
    os.nice(TRIAL_NICENESS)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(LINK):
        os.dup2(null, descriptor)
    os.dup2(link.detach(), LINK)
    os.closerange(LINK + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def serve_confined(descriptor: int) -> None:
    """Serve a socket within the limits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent ends it
    os.chdir('/')
    confine()
    with socket.socket(fileno=descriptor) as link:
        serve(link)


if __name__ == '__main__':
    serve_confined(int(sys.argv[1]))

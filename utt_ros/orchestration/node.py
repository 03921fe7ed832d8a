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

"""Run one node: `python -m utt_ros.orchestration.node NAME ARGUMENT...`.

With `--spare`, name and arguments come later by the standard input, see `spare`.
"""

import json
import os
import select
import signal
import sys
import time
from importlib import import_module

SPARE_FLAG = '--spare'
SPARE_NODES = ('twin', 'sync', 'camera', 'ftm', 'imu', 'aggregator')  # trainers: torch is large
PAUSE_SHARE = 2.0  # pause after an import, in times of it: the nodes need the processor more


def main() -> int:
    """Import the node and run it; a Ctrl-C before it runs ends it without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.argv[1:] == [SPARE_FLAG]:
        sys.argv[1:] = wait_for_node()
    node = import_module(f'utt_ros.nodes.{sys.argv.pop(1)}_node')
    code: int = node.main()
    return code


def wait_for_node() -> list[str]:
    """Import modules of nodes until a line on the standard input names one and its arguments.

    Exits when the input ends.
    """
    for name in SPARE_NODES:
        begin_s = time.monotonic()
        import_module(f'utt_ros.nodes.{name}_node')
        wait_sec = PAUSE_SHARE * (time.monotonic() - begin_s)
        if select.select([sys.stdin], [], [], wait_sec)[0]:
            break
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, sys.stdin.fileno())
    os.close(null)
    return [str(word) for word in json.loads(line)]


if __name__ == '__main__':
    sys.exit(main())

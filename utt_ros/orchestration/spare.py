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

"""A spare process: it has imported the nodes' modules, so a killed node is replaced at once.

To start Python and import a node takes most of the time of a restart, above all on a busy
machine. The supervisor keeps one spare process, which takes over the next node that is restarted.
"""

import json
import subprocess
from collections.abc import Mapping
from io import FileIO
from typing import cast

from utt_ros.orchestration.child import ChildProcess
from utt_ros.orchestration.node import SPARE_FLAG, SPARE_NODES
from utt_ros.orchestration.spec import NODE_PROGRAM, ProcessSpec

SPARE_SPEC = ProcessSpec('utt/spare', (*NODE_PROGRAM, SPARE_FLAG))
SPARE_SEC = 5.0  # from a start of nodes to that of a spare process, which would delay them
SPARE_RETRY_SEC = 60.0  # after the end of one that was not needed
MAX_COMMAND_BYTES = 65536  # capacity of a pipe: to write that much does not block


def can_take_over(spec: ProcessSpec) -> bool:
    """Check whether a spare process has the modules of a process that is restarted."""
    place = len(NODE_PROGRAM)
    return (spec.respawn and spec.command[:place] == NODE_PROGRAM
            and spec.command[place] in SPARE_NODES)


class SpareProcess(ChildProcess):
    """Child process that waits for the node that it shall run."""

    def __init__(self, environment: Mapping[str, str], hang_sec: float = 0.0) -> None:
        super().__init__(SPARE_SPEC, environment, hang_sec, stdin=subprocess.PIPE)

    def take_over(self, spec: ProcessSpec) -> bool:
        """Run a node; return whether that is possible."""
        words = json.dumps(spec.command[len(NODE_PROGRAM):]).encode() + b'\n'
        if not can_take_over(spec) or len(words) > MAX_COMMAND_BYTES:
            return False
        pipe = cast('FileIO', self._process.stdin)
        try:
            pipe.write(words)
        except OSError:  # it has ended
            return False
        finally:
            pipe.close()
        self.spec = spec
        return True

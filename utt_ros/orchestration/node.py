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

"""Run one node: `python -m utt_ros.orchestration.node NAME ARGUMENT...`."""

import signal
import sys
from importlib import import_module


def main() -> int:
    """Import the node and run it; a Ctrl-C before it runs ends it without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    node = import_module(f'utt_ros.nodes.{sys.argv.pop(1)}_node')
    code: int = node.main()
    return code


if __name__ == '__main__':
    sys.exit(main())

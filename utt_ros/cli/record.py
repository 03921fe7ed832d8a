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

"""`utt record`: record ROS topics to a bag."""

import argparse

from utt_ros.orchestration.bag_arguments import (
    add_hosts_argument,
    add_recorder_arguments,
    exec_node,
)

EXAMPLES = """
examples:
  utt record evening                         all topics
  utt record evening /hall/ /stairs/         all topics of two areas
  utt record evening --topic '/hall/(camera|phones)/.*'

Ctrl-C ends the recording and completes the bag: a rosbag2 directory with an MCAP file, which
`utt replay` and `ros2 bag play` play. Log times are arrival times on this machine.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt record`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    add_recorder_arguments(parser)
    add_hosts_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replace this process by the recorder node."""
    exec_node('recorder', args)

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

"""`utt replay`: publish bags as ROS topics."""

import argparse

from utt_ros.orchestration.bag_arguments import add_hosts_argument, add_player_arguments, exec_node

EXAMPLES = """
examples:
  utt replay sessions/area0/000                       all topics once, with a clock
  utt replay sessions/area0/* --rate 2 --loop         all bags of an area, repeatedly
  utt replay evening --topic '/hall/(camera|phones)/.*'   measurements, not outputs of nodes
  utt replay evening --remap /hall/:=/copy/ --clock-topic /copy/clock

Space pauses and resumes, as does the service /player/pause; Ctrl-C stops. Nodes follow the clock
with the parameter use_sim_time. Any rosbag2 directory can be replayed, MCAP or sqlite3.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt replay`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    add_player_arguments(parser)
    add_hosts_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replace this process by the player node."""
    exec_node('player', args)

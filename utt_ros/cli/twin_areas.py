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

"""Connection of a command with running areas."""

import argparse
from math import inf
from typing import TYPE_CHECKING

from utt_ros.errors import SettingsError
from utt_ros.orchestration.arguments import split_list
from utt_ros.orchestration.discovery import use_reach
from utt_ros.orchestration.ros_environment import check_environment

if TYPE_CHECKING:
    from utt_ros.bridge.node.twin_client import TwinClient

DEFAULT_WAIT_SEC = 5.0


def add_live_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments with which running areas are found."""
    parser.add_argument('--wait', type=float, default=DEFAULT_WAIT_SEC, metavar='SEC',
                        help='longest wait for an area to appear (default %(default)g)')
    parser.add_argument('--hosts', default='', metavar='A,B',
                        help='machines of the areas; opens DDS, which reaches this one otherwise')


def connect(args: argparse.Namespace) -> 'TwinClient':
    """Return a client of the running areas. Raises SettingsError."""
    prepare_reach(args)
    from utt_ros.bridge.node.twin_client import TwinClient  # noqa: PLC0415 - ROS, not for files

    return TwinClient(args.wait)


def prepare_reach(args: argparse.Namespace) -> None:
    """Set the environment of this process as the arguments ask. Raises SettingsError."""
    if not 0.0 < args.wait < inf:
        raise SettingsError(f'--wait is {args.wait:g}: it must be more than 0 s')
    check_environment()
    use_reach(split_list(args.hosts))

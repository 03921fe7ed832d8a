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

"""Recorded sessions as topics, with or without the nodes of their areas."""

from launch import LaunchDescription

from utt_ros.bridge.launch import launch_description
from utt_ros.orchestration.arguments import REPLAY_ARGUMENTS, plan_replay


def generate_launch_description() -> LaunchDescription:
    """List the arguments with `ros2 launch utt_ros replay.launch.py --show-args`."""
    return launch_description(REPLAY_ARGUMENTS, plan_replay)

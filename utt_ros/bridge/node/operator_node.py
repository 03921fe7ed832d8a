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

"""Node of a command that operates running areas, beside those of the process."""

from typing import TypeVar

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

N = TypeVar('N', bound='OperatorNode')
ENCLAVE = ('--ros-args', '--enclave', '/operator')  # of config/sros2_policy.xml


class OperatorNode:
    """Node with a context and an executor of its own. For one thread, in a `with` block."""

    def __init__(self) -> None:
        self._context = Context()
        rclpy.init(args=list(ENCLAVE), context=self._context,
                   signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node('operator', context=self._context, enable_rosout=False,
                          start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)

    def __enter__(self: N) -> N:  # noqa: PYI019  Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

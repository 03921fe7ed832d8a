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

"""The graph of nodes as launch actions; a launch file selects the arguments and the plan."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch_ros.actions import Node

from utt_ros.errors import UttError
from utt_ros.orchestration.arguments import LaunchArguments
from utt_ros.orchestration.environment import prepare_plan
from utt_ros.orchestration.graph import LaunchPlan, graph_nodes
from utt_ros.orchestration.spec import NodeSpec
from utt_ros.orchestration.supervisor import (
    DEFAULT_ENVIRONMENT,
    EXIT_SETTINGS_REFUSED,
    INTERRUPT_SEC,
    TERMINATE_SEC,
    describe_exit,
)

RESPAWN_DELAY_SEC = 2.0


def launch_description(
    arguments: LaunchArguments, plan_of: Callable[[Mapping[str, str]], LaunchPlan],
) -> LaunchDescription:
    """Return a launch description: the arguments, and the nodes of the plan made from them."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in arguments.items()
    ]

    def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
        values = {name: context.launch_configurations[name] for name in arguments}
        plan, remarks = prepare_plan(plan_of(values))
        notes = [LogInfo(msg=f'utt_ros: {remark}') for remark in remarks]
        return notes + launch_actions(graph_nodes(plan))

    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def launch_actions(nodes: list[NodeSpec]) -> list[LaunchDescriptionEntity]:
    """Convert nodes to actions; the launch ends as utt_ros.orchestration.supervisor.Supervisor."""
    started = [(node, node_action(node)) for node in nodes]
    tasks = {node.label for node in nodes if node.essential and not node.respawn}
    handlers = [
        RegisterEventHandler(
            OnProcessExit(target_action=target, on_exit=_exit_handler(node, tasks)))
        for node, target in started
    ]
    by_label = {node.label: target for node, target in started}
    for node, target in started:
        if node.after in by_label:
            handlers.append(_when_ended(by_label[node.after], target))
    return [*handlers, *(target for node, target in started if node.after not in by_label)]


def node_action(node: NodeSpec) -> Node:
    """Convert one node."""
    return Node(
        package=node.package, executable=node.executable, name=node.name,
        namespace=node.namespace, exec_name=node.label,
        parameters=[*(str(path) for path in node.parameter_files), _parameters(node)],
        remappings=list(node.remappings), arguments=list(node.arguments),
        ros_arguments=list(node.ros_arguments), respawn=node.respawn,
        respawn_delay=RESPAWN_DELAY_SEC, output='screen',
        additional_env={key: value for key, value in DEFAULT_ENVIRONMENT.items()
                        if key not in os.environ},
        sigterm_timeout=str(INTERRUPT_SEC), sigkill_timeout=str(TERMINATE_SEC),
    )


def _when_ended(first: Node, then: Node) -> RegisterEventHandler:
    def start(_event: ProcessExited, context: LaunchContext) -> list[Any] | None:
        return None if context.is_shutdown else [then]

    return RegisterEventHandler(OnProcessExit(target_action=first, on_exit=start))


def _parameters(node: NodeSpec) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in node.parameters.items()
    }


def _exit_handler(
    node: NodeSpec, tasks: set[str],
) -> Callable[[ProcessExited, LaunchContext], list[LaunchDescriptionEntity] | None]:
    """Return the handler for the end of a node that was not stopped."""

    def on_exit(event: ProcessExited, context: LaunchContext) -> list[Any] | None:
        tasks.discard(node.label)
        if context.is_shutdown or not node.essential:
            return None
        if event.returncode == EXIT_SETTINGS_REFUSED or (event.returncode and not node.respawn):
            # Only an exception in a handler makes launch exit with a code other than 0.
            raise UttError(f'{node.label} {describe_exit(event.returncode)}')
        if not node.respawn and not tasks:
            return [EmitEvent(event=Shutdown(reason='the replay has ended'))]
        return None

    return on_exit

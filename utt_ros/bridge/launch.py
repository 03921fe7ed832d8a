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
import shlex
import signal
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from types import MappingProxyType
from typing import Any

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown, matches_action
from launch.events.process import ProcessExited, ShutdownProcess, SignalProcess
from launch_ros.actions import Node

from utt_ros.errors import UttError
from utt_ros.orchestration.arguments import ARGUMENT_CHOICES, LaunchArguments
from utt_ros.orchestration.child import (
    DEFAULT_ENVIRONMENT,
    INTERRUPT_SEC,
    TERMINATE_SEC,
    TRACE_SEC,
    guard,
)
from utt_ros.orchestration.discovery import (
    choose_reach,
    describe_reach,
    discovery_environment,
)
from utt_ros.orchestration.environment import prepare_plan
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.heartbeat import (
    BEAT_SEC,
    HANG_SEC,
    HEARTBEAT_VARIABLE,
    HeartbeatMonitor,
)
from utt_ros.orchestration.launch_plan import LaunchPlan, in_namespace
from utt_ros.orchestration.phone_sources import describe_sources
from utt_ros.orchestration.restarts import Consequence, RestartPolicy, describe_exit
from utt_ros.orchestration.shared_memory import remove_dead_segments
from utt_ros.orchestration.spec import NodeSpec, enclave_arguments, own_arguments


def launch_description(
    arguments: LaunchArguments, plan_of: Callable[[Mapping[str, str]], LaunchPlan],
) -> LaunchDescription:
    """Return a launch description: the arguments, and the nodes of the plan made from them."""
    declared = [
        DeclareLaunchArgument(
            name, default_value=default, description=text,
            choices=list(ARGUMENT_CHOICES.get(name, ())) or None)
        for name, (default, text) in arguments.items()
    ]

    def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
        values = {name: context.launch_configurations[name] for name in arguments}
        pushed = context.launch_configurations.get('ros_namespace', '')  # by PushRosNamespace
        plan, remarks = prepare_plan(in_namespace(plan_of(values), pushed))
        choose_reach(plan.hosts)
        remarks += [describe_reach(os.environ), *describe_sources(plan)]
        notes = [LogInfo(msg=f'utt_ros: {remark}') for remark in remarks]
        return notes + launch_actions(graph_nodes(plan), plan.hang_sec)

    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def launch_actions(
    nodes: list[NodeSpec], hang_sec: float = HANG_SEC,
) -> list[LaunchDescriptionEntity]:
    """Convert nodes to actions; the launch ends as utt_ros.orchestration.supervisor.Supervisor."""
    return LaunchedGraph(nodes, hang_sec).actions()


class LaunchedGraph:
    """Nodes that `launch` runs: consequences of their ends, and their heartbeats."""

    def __init__(self, nodes: Sequence[NodeSpec], hang_sec: float) -> None:
        self._nodes = {node.label: node for node in nodes}
        self._hang_sec = hang_sec
        self._policy = RestartPolicy({node.label: node.unit for node in nodes if node.respawn})
        self._tasks = {node.label for node in nodes if node.essential and not node.respawn}
        self._running: dict[str, tuple[Node, HeartbeatMonitor]] = {}
        self._stopped: set[Node] = set()  # on purpose, before their end
        self._killed: set[Node] = set()  # for hanging, before their end

    def actions(self) -> list[LaunchDescriptionEntity]:
        """Return the actions of the start."""
        first = [node for node in self._nodes.values() if node.after not in self._nodes]
        watch = [self._watch_later()] if self._hang_sec else []
        return [
            RegisterEventHandler(OnProcessExit(on_exit=self._on_exit)),
            *(self._start(node) for node in first), *watch]

    def _start(self, node: NodeSpec) -> Node:
        self._policy.started(node.label)
        monitor = HeartbeatMonitor(self._hang_sec)
        action = node_action(node, {HEARTBEAT_VARIABLE: monitor.path})
        self._running[node.label] = action, monitor
        return action

    def _start_later(self, names: Sequence[str], delay_sec: float) -> TimerAction:
        """Start nodes after a delay, unless they run then."""
        def start(_context: LaunchContext) -> list[LaunchDescriptionEntity]:
            return [self._start(self._nodes[name]) for name in names if name not in self._running]

        return TimerAction(period=delay_sec, actions=[OpaqueFunction(function=start)])

    def _on_exit(
        self, event: ProcessExited, context: LaunchContext,
    ) -> list[LaunchDescriptionEntity] | None:
        label = next((name for name, (action, _) in self._running.items()
                      if action is event.action), None)
        if label is None:
            return None
        self._running.pop(label)[1].close()
        self._tasks.discard(label)
        self._killed.discard(event.action)
        if event.returncode < 0:
            remove_dead_segments()
        if context.is_shutdown or event.action in self._stopped:
            self._stopped.discard(event.action)
            return None
        node = self._nodes[label]
        following = [self._start(other) for other in self._nodes.values() if other.after == label]
        return [*following, *self._follow(node, event.returncode)]

    def _follow(self, node: NodeSpec, code: int) -> list[LaunchDescriptionEntity]:
        """Return the consequences of the end of a node that was not stopped."""
        if node.respawn:
            consequence = self._policy.exit(node.label, code, monotonic())
            self._end_if_over(node, consequence.text)
            return [LogInfo(msg=f'utt_ros: {consequence.text}'), *self._obey(node, consequence)]
        if node.essential and not self._tasks:
            if code:
                raise UttError(f'{node.label} {describe_exit(code)}')
            return [EmitEvent(event=Shutdown(reason='the replay has ended'))]
        return []

    def _obey(
        self, node: NodeSpec, consequence: Consequence,
    ) -> list[LaunchDescriptionEntity]:
        if consequence.restart_sec is not None:
            return [self._start_later([node.label], consequence.restart_sec)]
        stopping = [self._running[name][0] for name in consequence.stop if name in self._running]
        self._stopped.update(stopping)
        ends = [EmitEvent(event=ShutdownProcess(process_matcher=matches_action(action)))
                for action in stopping]
        if consequence.retry_sec is None:
            return ends
        return [*ends, self._start_later(consequence.stop, consequence.retry_sec)]

    def _end_if_over(self, node: NodeSpec, reason: str) -> None:
        """Raise UttError: only an exception makes launch exit with a code other than 0."""
        areas = {other.area for other in self._nodes.values()
                 if other.area not in {'', other.label}}
        ended = self._policy.ended
        if node.essential and node.unit in ended and (not node.area or areas <= ended):
            raise UttError(reason)

    def _watch_later(self) -> TimerAction:
        """Watch after a pause; a timer that shutdown cancels would add a handler each time."""
        return TimerAction(period=BEAT_SEC / 2, cancel_on_shutdown=False,
                           actions=[OpaqueFunction(function=self._watch)])

    def _watch(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Kill nodes that hang, and watch on."""
        if context.is_shutdown:
            return []
        hung = [label for label, (action, monitor) in self._running.items()
                if monitor.is_hung(monotonic()) and action not in self._killed]
        return [self._watch_later(), *(entity for label in hung for entity in self._kill(label))]

    def _kill(self, label: str) -> list[LaunchDescriptionEntity]:
        action, _ = self._running[label]
        self._killed.add(action)
        trace, kill = (
            EmitEvent(event=SignalProcess(
                signal_number=number, process_matcher=matches_action(action)))
            for number in (signal.SIGUSR2, signal.SIGKILL))
        text = f'{label} hangs: no heartbeat for {self._hang_sec:g} s; it is killed'
        return [LogInfo(msg=f'utt_ros: {text}'), trace,
                TimerAction(period=TRACE_SEC, actions=[kill])]


def node_action(node: NodeSpec, environment: Mapping[str, str] = MappingProxyType({})) -> Node:
    """Convert one node; `environment` is added to that of launch.

    A SIGTERM or SIGKILL ends `launch` at once, without a word to its processes: so each is
    guarded to get a SIGTERM at the end of `launch`.
    """
    return Node(
        prefix=shlex.join(guard(signal.SIGTERM)),
        package=node.package, executable=node.executable, name=node.name,
        namespace=node.namespace, exec_name=node.label,
        parameters=[*(str(path) for path in node.parameter_files), _parameters(node)],
        remappings=list(node.remappings), arguments=list(own_arguments(node)),
        ros_arguments=[*node.ros_arguments, *enclave_arguments(node)], output='screen',
        additional_env={
            **environment, **discovery_environment(os.environ), **{
                key: value for key, value in DEFAULT_ENVIRONMENT.items()
                if key not in os.environ}},
        sigterm_timeout=str(INTERRUPT_SEC), sigkill_timeout=str(TERMINATE_SEC),
    )


def _parameters(node: NodeSpec) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in node.parameters.items()
    }

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

"""Managed node: a lifecycle node that has inputs and works only while it is active."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from utt_ros.bridge.node.diagnostics import NO_HARDWARE, Diagnostics
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.errors import SettingsError, UttError
from utt_ros.orchestration.parameter_names import (
    NODE_SETTINGS,
    explain_unknown,
    known_parameters,
    unknown_parameters,
)
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class ActivationSettings:
    """State in which a managed node starts."""

    autostart: bool = setting(True, 'become active at start, without a transition request')


class ManagedNode(LifecycleNode):
    """Base of the managed nodes. A constructor reads parameters and ends with `start`.

    Subclasses create inputs in `begin_work`, destroy them in `end_work` and return diagnostics
    from `_values`. Work also ends with a shutdown transition and with the process.
    """

    def __init__(self, name: str, words: Sequence[str] | None = None) -> None:
        """`words`: arguments of ROS for this node alone; None: those of the process."""
        super().__init__(name, cli_args=words, use_global_arguments=words is None)
        self.is_active = False
        self.hardware_id = NO_HARDWARE
        self._diagnostics_name = name
        self._refuse_wrong_transitions()

    def begin_work(self) -> None:
        """Become active. A UttError refuses the transition."""
        raise NotImplementedError

    def end_work(self) -> None:
        raise NotImplementedError

    def _values(self) -> Mapping[str, object]:
        """Return diagnostics, counted since start."""
        raise NotImplementedError

    def start(self) -> None:
        """Publish diagnostics, and become active unless `autostart` is false.

        Raises UttError for an unknown parameter, and when the node cannot become active.
        """
        settings = declare_settings(self, ActivationSettings)
        self._refuse_unknown_parameters()
        self._diagnostics = Diagnostics(
            self, self._diagnostics_name, self._report, self.hardware_id)
        if settings.autostart:
            self.trigger_configure()
            if self.trigger_activate() != TransitionCallbackReturn.SUCCESS:
                raise UttError(f'{self._diagnostics_name} could not become active')

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            self.begin_work()
        except Exception as err:  # noqa: BLE001 - rclpy would drop it without a word
            reason = str(err) if isinstance(err, UttError) else repr(err)
            self.get_logger().error(f'not activated: {reason}')
            return TransitionCallbackReturn.FAILURE
        self.is_active = True
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._halt()
        return super().on_deactivate(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._halt()
        return super().on_shutdown(state)

    def destroy_node(self) -> None:
        self._halt()
        super().destroy_node()

    def _halt(self) -> None:
        if self.is_active:
            self.is_active = False
            self.end_work()

    def _report(self) -> Mapping[str, object]:
        values = dict(self._values())
        if not self.is_active:
            remarks = ('not active', str(values.get('message', '')))
            values['message'] = '; '.join(filter(None, remarks))
        return values

    def _refuse_unknown_parameters(self) -> None:
        """Raise SettingsError for a given parameter that no node of an area has."""
        given = [name for name in self._parameter_overrides if not self.has_parameter(name)]
        nodes = tuple(NODE_SETTINGS)
        unknown = unknown_parameters(given, nodes)
        if unknown:
            reason = explain_unknown(unknown[0], known_parameters(nodes))
            raise SettingsError(f'{self.get_fully_qualified_name()}: {reason}')

    def _refuse_wrong_transitions(self) -> None:
        """Answer a transition that the state does not have; rclpy would end the process."""
        change = self._service_change_state.callback

        def answer(request: Any, response: Any) -> Any:
            try:
                return change(request, response)
            except RuntimeError as err:  # RCLError, which rclpy does not export
                self.get_logger().warning(f'transition refused: {err}')
                response.success = False
                return response

        self._service_change_state.callback = answer

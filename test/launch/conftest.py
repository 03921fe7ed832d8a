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

"""Stand-in of the packages launch and launch_ros, whose actions keep what they are given.

It runs a launch file where the packages are missing: its arguments, and the start of its plan.
The effects of actions are tested with the real packages, in test_launch_files.
"""

import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

LAUNCH = Path(__file__).parents[2] / 'launch'
CLASSES = {
    'launch': ('LaunchContext', 'LaunchDescription', 'LaunchDescriptionEntity'),
    'launch.actions': ('DeclareLaunchArgument', 'EmitEvent', 'LogInfo', 'OpaqueFunction',
                       'RegisterEventHandler', 'TimerAction'),
    'launch.event_handlers': ('OnProcessExit',),
    'launch.events': ('Shutdown', 'matches_action'),
    'launch.events.process': ('ProcessExited', 'ShutdownProcess', 'SignalProcess'),
    'launch_ros': (),
    'launch_ros.actions': ('Node',),
}


class Action:
    """An action, an event or a handler with its arguments."""

    def __init__(self, *args: Any, **given: Any) -> None:
        self.args, self.given = args, given

    @property
    def kind(self) -> str:
        return type(self).__name__


class LoadedLaunchFile:
    """A launch file of the package, executed with the stand-in."""

    def __init__(self, name: str, patch: pytest.MonkeyPatch) -> None:
        for module, classes in CLASSES.items():
            made = ModuleType(module)
            for each in classes:
                setattr(made, each, type(each, (Action,), {}))
            patch.setitem(sys.modules, module, made)
        patch.delitem(sys.modules, 'utt_ros.bridge.launch', raising=False)
        spec = spec_from_file_location('launch_file', LAUNCH / f'{name}.launch.py')
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        (self._entities,) = module.generate_launch_description().args
        patch.delitem(sys.modules, 'utt_ros.bridge.launch')

    @property
    def arguments(self) -> dict[str, Mapping[str, Any]]:
        """Default, description and choices of each argument."""
        return {entity.args[0]: entity.given for entity in self._entities
                if entity.kind == 'DeclareLaunchArgument'}

    def start(self, namespace: str = '', **given: str) -> list[Action]:
        """Return the actions of a start, below the namespace of a PushRosNamespace."""
        values = {name: each['default_value'] for name, each in self.arguments.items()} | given
        if namespace:
            values['ros_namespace'] = namespace
        (opaque,) = [entity for entity in self._entities if entity.kind == 'OpaqueFunction']
        started: list[Action] = opaque.given['function'](
            SimpleNamespace(launch_configurations=values))
        return started


@pytest.fixture
def launch_file(
    monkeypatch: pytest.MonkeyPatch, ros_domain: int, tmp_path: Path,
) -> Callable[[str], LoadedLaunchFile]:
    """`launch_file('area')` executes launch/area.launch.py."""
    monkeypatch.setenv('HOME', str(tmp_path))
    return lambda name: LoadedLaunchFile(name, monkeypatch)

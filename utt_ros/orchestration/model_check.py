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


"""Check of the model that a launch plan starts from, before anything starts."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from utt_ros.errors import ModelError, SettingsError
from utt_ros.models.settings import ModelSettings
from utt_ros.models.starting_model import read_initial_model
from utt_ros.orchestration.graph import aggregator_node, area_nodes
from utt_ros.orchestration.launch_plan import LaunchPlan
from utt_ros.parameter_files import read_node_parameters
from utt_ros.settings import WindowSettings, from_mapping

T = TypeVar('T')
MODEL_PREFIX = 'model.'  # of parameters


def check_initial_model(plan: LaunchPlan) -> None:
    """Raise SettingsError when a node of the plan could not start from its model."""
    if plan.model is None or not plan.nodes:
        return
    if plan.federated and not plan.aggregator:
        raise SettingsError(f'model is {plan.model}: the aggregator, which runs elsewhere, '
                            'begins with a model: give it there, or let the areas train alone')
    readers = [aggregator_node(plan)] if plan.federated else [
        node for area in plan.areas for node in area_nodes(plan, area) if node.name == 'trainer']
    for node in readers:
        values = read_node_parameters(
            node.parameter_files, f'{node.namespace.rstrip("/")}/{node.name}')
        nested = {name.removeprefix(MODEL_PREFIX): value for name, value in values.items()
                  if name.startswith(MODEL_PREFIX)}
        try:
            read_initial_model(
                plan.model.expanduser(), _settings_of(ModelSettings, nested),
                _settings_of(WindowSettings, values))
        except ModelError as err:
            raise SettingsError(f'{node.label} cannot start from the model {err}') from err


def _settings_of(cls: type[T], values: Mapping[str, Any]) -> T:
    known = {item.name for item in fields(cls)}  # type: ignore[arg-type]
    return from_mapping(cls, {name: values[name] for name in known & set(values)})

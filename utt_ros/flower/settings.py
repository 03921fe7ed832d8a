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

"""Settings of a federation on Flower, from the configuration of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from utt_ros.errors import SettingsError
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.models.settings import ModelSettings
from utt_ros.settings import check, setting

LEFT_OUT = ('model', 'aggregator', 'deadline', 'compression')  # that are no keys of a run
CLIENT_KEYS = ('data', 'cache', 'area')  # that only nodes read


@dataclass(frozen=True, slots=True)
class FlowerSettings:
    """Rounds, model and aggregation of a federation on Flower."""

    rounds: int = setting(20, 'rounds', low=1, high=100_000)
    local_steps: int = setting(40, 'training steps of an area in a round', low=1, high=100_000)
    sampled: int = setting(0, 'areas drawn in each round; 0: all', low=0, high=1024)
    seed: int = setting(0, 'seed of the initial model and of the draws', low=0, high=2**31 - 1)
    min_areas: int = setting(2, 'areas that must be connected at the start', low=1, high=1024)
    timeout_s: float = setting(
        600.0, 'longest wait for areas to connect, and for their updates [s]', low=1.0,
        high=86400.0)
    model: ModelSettings = field(default_factory=ModelSettings)
    aggregator: AggregatorSettings = field(default_factory=AggregatorSettings)

    def __post_init__(self) -> None:
        check(self)


def read_run_config(config: Mapping[str, Any]) -> FlowerSettings:
    """Return the settings of a run: keys are names of fields, with '-' for '_'.

    Those of `ModelSettings` and `AggregatorSettings` too. Raises SettingsError.
    """
    values = {name.replace('-', '_'): value for name, value in config.items()
              if name not in CLIENT_KEYS}
    settings = FlowerSettings()
    own = _take(settings, values)
    model = replace(settings.model, **_take(settings.model, values))
    aggregator = replace(settings.aggregator, **_take(settings.aggregator, values), deadline=0.0)
    unknown = sorted(values.keys() - own.keys() - _names(model) - _names(aggregator))
    if unknown:
        raise SettingsError(f'there is no setting {unknown[0]!r}')
    return replace(settings, **own, model=model, aggregator=aggregator)


def _names(settings: Any) -> set[str]:
    return {item.name for item in fields(settings)
            if item.name not in LEFT_OUT}


def _take(settings: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for fields of these settings. Raises SettingsError for another type."""
    taken = {name: values[name] for name in _names(settings) & values.keys()}
    for name, value in taken.items():
        default = getattr(settings, name)
        if isinstance(default, tuple):
            taken[name] = tuple(str(value).split(','))
        elif isinstance(default, float) and type(value) is int:
            taken[name] = float(value)
        elif type(value) is not type(default):
            raise SettingsError(f'{name} is {value!r}: it must be a {type(default).__name__}')
    return taken

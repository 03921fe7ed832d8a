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

"""Aggregation rule and server step of a round, by their names in the settings."""

from collections.abc import Callable, Sequence
from importlib import import_module

from utt_ros.federation.aggregation import AggregationRule, average_by_windows, average_equally
from utt_ros.federation.modality_gating import ModalityGating, parse_gates
from utt_ros.federation.robust_rules import (
    FlTrust,
    coordinate_median,
    geometric_median,
    multi_krum,
    trimmed_mean,
)
from utt_ros.federation.root_of_trust import RootOfTrust
from utt_ros.federation.wire import Tensors
from utt_ros.plugins import Registry
from utt_ros.types import FloatArray

ServerStep = Callable[
    [Tensors, Tensors, Tensors], tuple[dict[str, FloatArray], dict[str, FloatArray]]]
"""Model before a round, aggregate of its updates and memory of the server -> next model and
memory."""

GATED = 'gated'
FLTRUST = 'fltrust'  # needs a root of trust
AGGREGATION_RULES: Registry[AggregationRule] = Registry(
    'weighting', 'utt_ros.aggregation_rules',
    {'uniform': average_equally, 'windows': average_by_windows, GATED: ModalityGating({}),
     'trimmed_mean': trimmed_mean, 'coordinate_median': coordinate_median,
     'geometric_median': geometric_median, 'multi_krum': multi_krum})
BUILTIN_RULES = ('uniform', 'windows', GATED, 'trimmed_mean', 'coordinate_median',
                 'geometric_median', 'multi_krum')


def register_aggregation_rule(name: str, rule: AggregationRule) -> None:
    """Let `AggregatorSettings(weighting=name)` aggregate by `rule`, in this process.

    A package that offers an entry point `name` in the group `utt_ros.aggregation_rules` needs no
    call, and the aggregator node, a process of its own, finds it too. The server passes
    contributions in order of area names. Raises SettingsError when the name is taken.
    """
    AGGREGATION_RULES.register(name, rule)


def make_aggregation_rule(
    weighting: str, gates: Sequence[str] = (), root: RootOfTrust | None = None,
) -> AggregationRule:
    """Return the rule of that name, with `gates` for gated; raises SettingsError.

    With a root of trust it is fltrust.
    """
    if root is not None:
        return FlTrust(root.update)
    if weighting == GATED:
        return ModalityGating(parse_gates(gates))
    return AGGREGATION_RULES[weighting]


def fedavg(
    _reference: Tensors, mean: Tensors, _memory: Tensors,
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Take the average as the next model: line 20 of Algorithm 1 [P]."""
    return dict(mean), {}


def make_server_step(server: str, rate: float, tau: float, beta2: float) -> ServerStep:
    """Return the step of a server optimizer by name; only an adaptive one imports torch."""
    if server == 'fedavg':
        return fedavg
    optimizers = import_module('utt_ros.federation.server_optimizers')
    step: ServerStep = optimizers.ServerOptimizer(
        server, optimizers.OptimizerRates(rate, tau, beta2))
    return step

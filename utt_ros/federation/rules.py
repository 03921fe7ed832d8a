"""From settings to what closes a round: an average of the updates, then a step of the server."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from utt_ros.federation.aggregation import RULES, Rule
from utt_ros.federation.modality_gating import Gated, read_gates
from utt_ros.federation.wire import Tensors
from utt_ros.types import FloatArray

if TYPE_CHECKING:
    from utt_ros.federation.settings import AggregatorSettings

Step = Callable[
    [Tensors, Tensors, Tensors], tuple[dict[str, FloatArray], dict[str, FloatArray]]]
"""From the model before a round, the average of its updates and the memory of the server to the
next model and memory."""


def make_average(settings: 'AggregatorSettings') -> Rule:
    """How updates are averaged."""
    if settings.weighting == 'gated':
        return Gated(read_gates(settings.gates))
    return RULES[settings.weighting]


def fedavg(
    _reference: Tensors, mean: Tensors, _memory: Tensors,
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """The average is the next model: line 20 of Algorithm 1 [P]."""
    return dict(mean), {}


def make_step(settings: 'AggregatorSettings') -> Step:
    """What the server makes of the average; only an adaptive one loads torch."""
    if settings.server == 'fedavg':
        return fedavg
    servers = import_module('utt_ros.federation.server_optimizers')
    rates = servers.Rates(settings.server_rate, settings.server_tau, settings.server_beta2)
    step: Step = servers.Adaptive(settings.server, rates)
    return step

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

"""Server optimizers follow their formulas over several rounds, tensor by tensor."""

import subprocess
import sys

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.federation.aggregation_rules import make_server_step
from utt_ros.federation.server_optimizers import OPTIMIZERS
from utt_ros.federation.settings import AggregatorSettings

RATE, TAU, BETA2 = 0.3, 0.02, 0.9
Arrays = dict[str, np.ndarray]


def second_moment(name: str, v: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Compute v by the three lines of Algorithm 2 of Reddi et al."""
    square = change**2
    return {
        'fedadagrad': v + square,
        'fedadam': BETA2 * v + (1 - BETA2) * square,
        'fedyogi': v - (1 - BETA2) * square * np.sign(v - square),
    }[name]


@pytest.mark.parametrize('name', OPTIMIZERS)
def test_rounds_follow_the_formula(name: str, rng: np.random.Generator) -> None:
    step = make_server_step(name, RATE, TAU, BETA2)
    model: Arrays = {'a': rng.normal(size=(3, 2)).astype(np.float32), 'b': np.float32([2.0])}
    expected = {key: value.astype(np.float64) for key, value in model.items()}
    v = {key: np.zeros(value.shape) for key, value in model.items()}
    memory: Arrays = {}
    for _ in range(6):
        mean = {key: (value + rng.normal(size=value.shape)).astype(np.float32)
                for key, value in model.items()}
        for key, value in model.items():
            change = mean[key].astype(np.float64) - value
            v[key] = second_moment(name, v[key], change)
            expected[key] += RATE * change / (np.sqrt(v[key]) + TAU)
        model, memory = step(model, mean, memory)
        for key, value in model.items():
            assert value.dtype == np.float32
            np.testing.assert_allclose(value, expected[key], rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(memory[f'{name}/{key}'], v[key], rtol=1e-4)


@pytest.mark.parametrize('name', OPTIMIZERS)
def test_a_tensor_in_no_update_keeps_its_value_and_memory(name: str) -> None:
    step = make_server_step(name, RATE, TAU, BETA2)
    model = {'a': np.float32([1.0]), 'b': np.float32([2.0])}
    _, memory = step(model, {key: value + 1 for key, value in model.items()}, {})
    stepped, later = step(model, {'a': np.float32([5.0]), 'b': model['b']}, memory)
    np.testing.assert_array_equal(stepped['b'], model['b'])
    np.testing.assert_array_equal(later[f'{name}/b'], memory[f'{name}/b'])
    assert later[f'{name}/a'] != memory[f'{name}/a']


@pytest.mark.parametrize('name', OPTIMIZERS)
def test_a_step_changes_none_of_its_inputs(name: str) -> None:
    model, mean = {'a': np.float32([1.0, 2.0])}, {'a': np.float32([4.0, 2.0])}
    _, memory = make_server_step(name, RATE, TAU, BETA2)(model, mean, {})
    before = {key: value.copy() for key, value in memory.items()}
    make_server_step(name, RATE, TAU, BETA2)(model, mean, memory)
    np.testing.assert_array_equal(model['a'], [1.0, 2.0])
    np.testing.assert_array_equal(mean['a'], [4.0, 2.0])
    np.testing.assert_array_equal(memory[f'{name}/a'], before[f'{name}/a'])


def test_yogi_decays_slower_than_adam_when_changes_become_small() -> None:
    model = {'a': np.float32([0.0])}
    kept = {}
    for name in ('fedadam', 'fedyogi'):
        step = make_server_step(name, RATE, TAU, BETA2)
        _, memory = step(model, {'a': np.float32([10.0])}, {})
        for _ in range(20):
            _, memory = step(model, {'a': np.float32([0.1])}, memory)
        kept[name] = float(memory[f'{name}/a'][0])
    assert kept['fedyogi'] > 4 * kept['fedadam']


def test_the_memory_of_another_server_is_not_used() -> None:
    model, mean = {'a': np.float32([0.0])}, {'a': np.float32([1.0])}
    _, memory = make_server_step('fedadagrad', RATE, TAU, BETA2)(model, mean, {})
    first, _ = make_server_step('fedadam', RATE, TAU, BETA2)(model, mean, {})
    stepped, kept = make_server_step('fedadam', RATE, TAU, BETA2)(model, mean, memory)
    np.testing.assert_array_equal(stepped['a'], first['a'])
    assert list(kept) == ['fedadam/a']


def test_averaging_alone_keeps_no_memory() -> None:
    mean = {'a': np.float32([1.0])}
    step = make_server_step('fedavg', RATE, TAU, BETA2)
    assert step({'a': np.float32([0.0])}, mean, {}) == (mean, {})


def test_an_unknown_server_is_refused() -> None:
    with pytest.raises(SettingsError, match="server is 'sgd': it must be one of fedavg, fedadag"):
        AggregatorSettings(server='sgd')


def test_an_aggregator_that_averages_does_not_load_torch() -> None:
    code = ('import sys; from utt_ros.federation.server import FederationServer; '
            'from utt_ros.federation.aggregation_rules import make_server_step; '
            'rates = (0.01, 1e-3, 0.99); '
            'make_server_step("fedavg", *rates); assert "torch" not in sys.modules; '
            'make_server_step("fedyogi", *rates); assert "torch" in sys.modules')
    subprocess.run([sys.executable, '-c', code], check=True, timeout=200)

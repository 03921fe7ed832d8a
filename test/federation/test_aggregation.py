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

"""Averages equal np.average, over the areas that sent a tensor."""

import numpy as np
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.aggregation import average

SHAPES = {'head.bias': (5,), 'imu.weight': (4, 3), 'scale': ()}


def random_tensors(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}


@pytest.mark.parametrize('weights', [[1.0, 1.0, 1.0], [1.0, 20.0, 300.0], [0.0, 0.25, 1e12]])
def test_average_equals_np_average_bit_by_bit(
    rng: np.random.Generator, weights: list[float],
) -> None:
    updates = [random_tensors(rng) for _ in weights]
    result = average(list(zip(updates, weights, strict=True)), random_tensors(rng))
    for name, shape in SHAPES.items():
        stacked = np.stack([update[name] for update in updates])
        expected = np.average(stacked, axis=0, weights=weights).astype(np.float32)
        assert result[name].dtype == np.float32
        assert result[name].shape == shape
        np.testing.assert_array_equal(result[name], expected)


def test_average_of_known_numbers() -> None:
    first, second = {'w': np.float32([0, 4])}, {'w': np.float32([3, 1])}
    result = average([(first, 1.0), (second, 2.0)], {'w': np.float32([9, 9])})
    np.testing.assert_array_equal(result['w'], np.float32([2, 2]))


def test_each_tensor_is_averaged_over_the_areas_that_sent_it(rng: np.random.Generator) -> None:
    reference, full, partial = (random_tensors(rng) for _ in range(3))
    del partial['imu.weight'], full['scale'], partial['scale']
    result = average([(full, 1.0), (partial, 3.0)], reference)
    np.testing.assert_array_equal(result['imu.weight'], full['imu.weight'])
    np.testing.assert_array_equal(result['scale'], reference['scale'])
    expected = np.average([full['head.bias'], partial['head.bias']], axis=0, weights=[1, 3])
    np.testing.assert_array_equal(result['head.bias'], expected.astype(np.float32))


def test_average_changes_none_of_its_inputs(rng: np.random.Generator) -> None:
    reference, update = random_tensors(rng), random_tensors(rng)
    before = {name: tensor.copy() for name, tensor in {**reference, **update}.items()}
    average([(update, 2.0), (update, 3.0)], reference)
    for name, tensor in before.items():
        np.testing.assert_array_equal(update[name], tensor)


def test_average_does_not_depend_on_the_order_of_names(rng: np.random.Generator) -> None:
    reference, update = random_tensors(rng), random_tensors(rng)
    turned = dict(reversed(update.items()))
    result = average([(turned, 1.0)], dict(reversed(reference.items())))
    assert list(result) == sorted(SHAPES)
    for name in SHAPES:
        np.testing.assert_array_equal(result[name], update[name])


def test_large_weights_do_not_overflow(rng: np.random.Generator) -> None:
    update = {'w': np.float32([3e38, -3e38])}
    result = average([(update, 1e9), (update, 1e9)], update)
    np.testing.assert_array_equal(result['w'], update['w'])


def test_average_rejects_zero_total_weight() -> None:
    tensors = {'w': np.ones(2, np.float32)}
    with pytest.raises(ModelError, match="weights of tensor 'w' add up to 0: they must"):
        average([(tensors, 0.0), (tensors, 0.0)], tensors)


def test_average_rejects_no_updates() -> None:
    with pytest.raises(ModelError, match='0 updates: an average needs at least 1'):
        average([], {'w': np.ones(2, np.float32)})


@pytest.mark.parametrize('weight', [-1.0, float('nan'), float('inf')])
def test_average_rejects_a_weight_that_is_negative_or_not_finite(weight: float) -> None:
    tensors = {'w': np.ones(2, np.float32)}
    with pytest.raises(ModelError, match=f'a weight is {weight}: it must be finite'):
        average([(tensors, weight), (tensors, 5.0)], tensors)


def test_average_rejects_an_unknown_tensor() -> None:
    with pytest.raises(ModelError, match="tensor 'other' is not in the reference model"):
        average([({'other': np.ones(2, np.float32)}, 1.0)], {'w': np.ones(2, np.float32)})


def test_average_rejects_a_shape_that_numpy_would_broadcast() -> None:
    with pytest.raises(ModelError, match=r"tensor 'w' has shape \(1,\): it must be \(2,\)"):
        average([({'w': np.ones(1, np.float32)}, 1.0)], {'w': np.ones(2, np.float32)})

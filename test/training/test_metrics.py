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

"""Relative errors against numbers computed by hand."""

import numpy as np
import pytest

from utt_ros.training.metrics import RelativeError, channel_means

TRUE = np.float32([[[1.0, 10.0], [3.0, 30.0], [99.0, 99.0]]])
MASK = np.array([[True, True, False]])


def test_channel_means_leave_out_masked_rows() -> None:
    np.testing.assert_allclose(channel_means(TRUE, MASK), [2.0, 20.0])
    np.testing.assert_allclose(channel_means(TRUE, ~MASK & False), [0.0, 0.0])


def test_the_mean_predictor_has_an_error_of_one() -> None:
    error = RelativeError(channel_means(TRUE, MASK))
    error.add(np.broadcast_to(np.float32([2.0, 20.0]), TRUE.shape), TRUE, MASK)
    assert error.nmse_var == pytest.approx(1.0)


def test_errors_are_relative_per_channel_then_averaged() -> None:
    error = RelativeError(np.array([0.0, 20.0]))
    error.add(np.float32([[[2.0, 10.0], [3.0, 40.0], [0.0, 0.0]]]), TRUE, MASK)
    assert error.nmse_var == pytest.approx((1 / 10 + 100 / 200) / 2)
    assert error.nmse_energy == pytest.approx((1 / 10 + 100 / 1000) / 2)


def test_batches_add_up_to_the_whole(rng: np.random.Generator) -> None:
    predicted, true = rng.normal(size=(2, 10, 4, 3)).astype(np.float32)
    mask = rng.random((10, 4)) > 0.5
    whole, parts = RelativeError(np.ones(3)), RelativeError(np.ones(3))
    whole.add(predicted, true, mask)
    for rows in (slice(0, 3), slice(3, 10)):
        parts.add(predicted[rows], true[rows], mask[rows])
    assert parts.nmse_var == pytest.approx(whole.nmse_var)
    assert parts.nmse_energy == pytest.approx(whole.nmse_energy)


def test_a_constant_channel_is_left_out_and_no_data_give_nan() -> None:
    error = RelativeError(np.array([5.0, 0.0]))
    constant = np.float32([[[5.0, 1.0], [5.0, 3.0]]])
    error.add(constant + 1, constant, np.array([[True, True]]))
    assert error.nmse_var == pytest.approx(2 / 10)
    assert np.isnan(RelativeError(np.zeros(2)).nmse_var)

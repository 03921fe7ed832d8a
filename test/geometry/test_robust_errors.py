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

"""Covariances of robust fits: those of theory, and wider where residuals repeat."""

import numpy as np
import pytest

from utt_ros.geometry.robust_errors import clustered_covariances


def test_independent_residuals_have_the_error_of_a_mean(rng: np.random.Generator) -> None:
    residuals = 0.1 * rng.normal(size=400)
    bread, sandwich = clustered_covariances(np.ones((400, 1)), residuals, np.arange(400))
    assert bread[0, 0] == pytest.approx(1 / 400, rel=0.05)
    assert sandwich[0, 0] == pytest.approx(0.01 / 400, rel=0.2)


def test_repeated_residuals_count_once(rng: np.random.Generator) -> None:
    residuals = np.repeat(rng.normal(size=100), 10)
    alone = clustered_covariances(np.ones((1000, 1)), residuals, np.arange(1000))[1]
    together = clustered_covariances(
        np.ones((1000, 1)), residuals, np.repeat(np.arange(100), 10))[1]
    assert together[0, 0] == pytest.approx(10 * alone[0, 0], rel=0.1)

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

"""Estimates with unknown correlation are fused without becoming surer than the surest."""

import numpy as np
import pytest

from utt_ros.building.position_fusion import agreement, intersect_covariances


def test_one_estimate_stays_as_it_is() -> None:
    covariance = np.array([[2.0, 0.5], [0.5, 1.0]])
    position, fused = intersect_covariances(np.array([[3.0, 4.0]]), covariance[None])
    np.testing.assert_allclose(position, [3.0, 4.0])
    np.testing.assert_allclose(fused, covariance)


def test_equally_sure_estimates_are_averaged_and_not_surer() -> None:
    position, fused = intersect_covariances(
        np.array([[0.0, 0.0], [2.0, 4.0]]), np.stack([np.eye(2)] * 2))
    np.testing.assert_allclose(position, [1.0, 2.0])
    np.testing.assert_allclose(fused, np.eye(2))


def test_an_unsure_estimate_hardly_counts() -> None:
    position, fused = intersect_covariances(
        np.array([[0.0, 0.0], [9.0, 0.0]]), np.stack([0.1 * np.eye(2), 25.0 * np.eye(2)]))
    assert abs(position[0]) < 0.05
    assert np.trace(fused) < 0.21


def test_estimates_that_are_sure_along_different_axes_complete_each_other() -> None:
    position, fused = intersect_covariances(
        np.array([[1.0, 5.0], [9.0, 2.0]]), np.stack([np.diag([0.1, 50.0]), np.diag([50.0, 0.1])]))
    np.testing.assert_allclose(position, [1.0, 2.0], atol=0.05)
    np.testing.assert_allclose(fused, np.diag([0.2, 0.2]), atol=0.01)


@pytest.mark.parametrize('correlation', [0.0, 0.5, 0.99])
def test_the_fused_covariance_covers_the_error_whatever_the_correlation(
    correlation: float, rng: np.random.Generator,
) -> None:
    first, second = np.diag([1.0, 4.0]), np.array([[3.0, 1.0], [1.0, 1.0]])
    roots = [np.linalg.cholesky(each) for each in (first, second)]
    common, own = rng.normal(size=(20_000, 2)), rng.normal(size=(2, 20_000, 2))
    errors = [(np.sqrt(correlation) * common + np.sqrt(1 - correlation) * each) @ root.T
              for each, root in zip(own, roots, strict=True)]
    fused = np.array([intersect_covariances(np.stack(pair), np.stack([first, second]))[0]
                      for pair in zip(*errors, strict=True)][:5000])
    _, covariance = intersect_covariances(np.zeros((2, 2)), np.stack([first, second]))
    assert np.linalg.eigvalsh(covariance - np.cov(fused.T)).min() > -0.1


def test_agreement_is_by_both_covariances() -> None:
    positions = np.array([[0.0, 0.0], [7.0, 0.0], [7.0, 0.0]])
    covariances = np.stack([np.eye(2), np.eye(2), 9.0 * np.eye(2)])
    assert agreement(positions, covariances, 0).tolist() == [True, False, True]

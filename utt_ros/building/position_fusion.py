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

"""Estimates of one position by several areas, whose errors may be correlated."""

import numpy as np

from utt_ros.types import Array, MaskArray

AGREE_CHI2_2D = 18.42068074395237  # 99.99 % quantile of chi-square, 2 degrees of freedom


def intersect_covariances(positions: Array, covariances: Array) -> tuple[Array, Array]:
    """Fuse positions (K, 2) [m] and covariances (K, 2, 2) [m^2] by covariance intersection.

    Areas share a phone's IMU, so their errors are correlated by an unknown amount; a product of
    their distributions would be too sure. The weights are inverse to the traces (Niehsen, 2002:
    fast covariance intersection), which needs no search and is smooth as a person walks over.
    """
    if len(positions) == 1:
        return positions[0], covariances[0]
    certainty = 1.0 / np.trace(covariances, axis1=1, axis2=2)
    weights = certainty / certainty.sum()
    information = np.linalg.inv(covariances) * weights[:, None, None]
    covariance = np.linalg.inv(information.sum(0))
    return covariance @ np.einsum('kij,kj->i', information, positions), covariance


def agreement(positions: Array, covariances: Array, row: int) -> MaskArray:
    """Return which of the positions (K, 2) can be that of `row`, by their covariances."""
    if len(positions) == 1:
        return np.ones(1, bool)
    residuals = positions - positions[row]
    spread = covariances + covariances[row]
    squared = np.einsum('ki,ki->k', residuals,
                        np.linalg.solve(spread, residuals[..., None])[..., 0])
    agrees: MaskArray = squared <= AGREE_CHI2_2D
    agrees[row] = True
    return agrees

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

"""Covariances of parameters that were fitted with Cauchy's loss to clusters of like residuals."""

import numpy as np
import numpy.typing as npt

from utt_ros.types import Array

CAUCHY = 2.4  # scale of the loss: 95 % efficiency for normal errors [S: Holland, Welsch 1977]


def clustered_covariances(
    jacobian: Array, residuals: Array, clusters: npt.NDArray[np.int64],
) -> tuple[Array, Array]:
    """Compute covariances (K, K) of parameters; residuals of one cluster may be alike [D].

    The first one is the model's, for independent unit errors, the second the sandwich estimate
    [S: Huber 1967], both with Cauchy's weights. Rows beyond the clusters are priors.
    """
    weights = 1 / (1 + (residuals / CAUCHY)**2)
    bread = np.linalg.pinv(jacobian.T @ (weights[:, None] * jacobian))
    scores = jacobian * (weights * residuals)[:, None]
    sums = np.zeros((int(clusters.max()) + 1, jacobian.shape[1]))
    np.add.at(sums, clusters, scores[:len(clusters)])
    count = len(sums)
    meat = sums.T @ sums * count / max(count - 1, 1)
    return np.asarray(bread), np.asarray(bread @ meat @ bread)

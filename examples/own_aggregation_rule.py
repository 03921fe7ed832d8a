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

"""An aggregation rule of one's own: the coordinate-wise median, against one hostile area.

    python examples/own_aggregation_rule.py

A package offers it to the aggregator node (`weighting: median`) by an entry point:

    [project.entry-points."utt_ros.aggregation_rules"]
    median = "my_package.rules:median"
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from utt_ros import Contribution, average, register_aggregation_rule
from utt_ros.federation.aggregation_rules import make_aggregation_rule

Tensors = Mapping[str, npt.NDArray[np.float32]]


def median(
    contributions: Sequence[Contribution], reference: Tensors,
) -> dict[str, npt.NDArray[np.float32]]:
    """Take the median of each weight over the areas that trained it; others stay."""
    made = {}
    for name, before in reference.items():
        trained = [item.tensors[name] for item in contributions if name in item.tensors]
        made[name] = np.median(trained, axis=0).astype(np.float32) if trained else before
    return made


def main() -> None:
    register_aggregation_rule('median', median)
    rule = make_aggregation_rule('median')

    rng = np.random.default_rng(0)
    target = rng.standard_normal((4, 3)).astype(np.float32)
    reference = {'encoder.weight': np.zeros_like(target)}
    updates = [
        {'encoder.weight': target + rng.normal(0, 0.1, target.shape).astype(np.float32)}
        for _ in range(4)]
    updates.append({'encoder.weight': -100 * target})  # an area that flips and scales its update
    contributions = [Contribution(f'area{number}', update, 100)
                     for number, update in enumerate(updates)]

    for name, tensors in (
        ('mean', average([(update, 1.0) for update in updates], reference)),
        ('median', rule(contributions, reference)),
    ):
        error = np.abs(tensors['encoder.weight'] - target).max()
        print(f'{name}: largest error of a weight {error:.2f}')


if __name__ == '__main__':
    main()

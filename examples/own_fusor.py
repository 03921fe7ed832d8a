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

"""A fusor of one's own: the largest of the features, compared with the gating fusor.

    utt simulate --out sessions --areas 2 --minutes 3
    python examples/own_fusor.py sessions

A package offers it to `utt train --fusor maximum` and to the nodes by an entry point:

    [project.entry-points."utt_ros.fusors"]
    maximum = "my_package.fusors:Maximum"
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from utt_ros import Recipe, load_recordings, register_fusor, train_model


class Maximum(nn.Module):
    """Element-wise maximum of the features in use; zeros where none is."""

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__()

    def forward(self, features: Tensor, use: Tensor) -> Tensor:
        """Join `features` (B, M, d) of the modalities in `use` (B, M) to (B, d)."""
        largest = torch.where(use.unsqueeze(2), features, -1e30).amax(dim=1)
        return torch.where(use.any(dim=1, keepdim=True), largest, 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description='Train with a fusor from outside the package.')
    parser.add_argument('data', type=Path, help='sessions by area')
    parser.add_argument('--rounds', type=int, default=5)
    args = parser.parse_args()

    register_fusor('maximum', Maximum)
    with tempfile.TemporaryDirectory() as cache:
        recordings = load_recordings(args.data, Path(cache))
    recipe = Recipe(rounds=args.rounds)
    for fusor in ('gating', 'maximum'):
        chosen = replace(recipe, model=replace(recipe.model, fusor=fusor))
        trained = train_model(recordings, chosen, seed=0)
        print(f'{fusor}: mean NMSE on the val split {trained.score:.3f} '
              f'after round {trained.best_round} of {args.rounds}')


if __name__ == '__main__':
    main()

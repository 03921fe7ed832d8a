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

"""Personalisation: tensors and scaling that an area does not share."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from utt_ros.models.layers import PhysicalScale
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.columns import Columns
from utt_ros.training.simulated_rounds import Learner
from utt_ros.types import FloatArray

FUSOR = ('fusor.',)
MIN_STD = 0.1  # of a channel that is rescaled, in units of the shared scale


class PersonalisedLearner:
    """Learner that neither sends nor receives tensors with given name prefixes."""

    def __init__(self, learner: Learner, own: Sequence[str] = FUSOR) -> None:
        """`own`: prefixes; the first model that is loaded gives the initial values."""
        self._learner = learner
        self._prefixes = tuple(own)
        self._own: dict[str, FloatArray] = {}

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities of the area."""
        return self._learner.modalities

    @property
    def window_count(self) -> int:
        """Number of training windows."""
        return self._learner.window_count

    def load(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Start from these weights and the area's own."""
        self._learner.load(self.merge(weights))

    def train(self, steps: int) -> float:
        """Take gradient steps; return their mean loss."""
        return self._learner.train(steps)

    def update(self) -> dict[str, FloatArray]:
        """Return the trained tensors that are shared."""
        trained = self._learner.update()
        self._own |= {name: values for name, values in trained.items()
                      if name.startswith(self._prefixes)}
        return {name: values for name, values in trained.items()
                if not name.startswith(self._prefixes)}

    def merge(
        self, weights: Mapping[str, npt.NDArray[np.generic]],
    ) -> dict[str, npt.NDArray[np.generic]]:
        """Return the area's model: the shared one with its own tensors."""
        return {**weights, **self._own}


def scale_locally(twin: UnifiedTwin, columns: Columns) -> None:
    """Replace the scaling constants of modalities with statistics of an area's windows.

    They are not weights, so they never leave the area. A modality that was never measured keeps
    the constants, as does a channel whose deviation is far below them.
    """
    for name in twin.settings.modalities:
        measured = columns[name][columns[f'{name}_mask']]  # (R, F)
        if len(measured):
            mean, std = measured.mean(axis=0), measured.std(axis=0)
            for network in (twin.encoders[name], twin.decoders[name]):
                for part in network.modules():
                    if isinstance(part, PhysicalScale):
                        _replace(part, mean, std)


def _replace(scale: PhysicalScale, mean: FloatArray, std: FloatArray) -> None:
    deviation = torch.from_numpy(std).unsqueeze(1)
    varies = deviation > MIN_STD * scale.scale
    scale.offset.copy_(torch.where(varies, torch.from_numpy(mean).unsqueeze(1), scale.offset))
    scale.scale.copy_(torch.where(varies, deviation, scale.scale))

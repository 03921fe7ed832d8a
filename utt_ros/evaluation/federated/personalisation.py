"""Personalisation: an area keeps parts of the model to itself, and its own scaling."""

from collections.abc import Mapping, Sequence, Sized

import numpy as np
import numpy.typing as npt
import torch

from utt_ros.models.layers import PhysicalScale
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.dataset import Columns
from utt_ros.training.simulated_rounds import Learner
from utt_ros.types import FloatArray

FUSOR = ('fusor.',)
MIN_STD = 0.1  # of a channel that hardly moves, in units of the scale that all areas share


class Personal:
    """A learner that neither sends nor takes tensors whose names begin in a certain way."""

    def __init__(self, learner: Learner, own: Sequence[str] = FUSOR) -> None:
        """`own`: how the names begin; the first model that is loaded gives their first values."""
        self._learner = learner
        self._prefixes = tuple(own)
        self._own: dict[str, FloatArray] = {}

    @property
    def modalities(self) -> tuple[str, ...]:
        """The sensors that the area has."""
        return self._learner.modalities

    @property
    def kept(self) -> Sized:
        """The windows that it trains on."""
        return self._learner.kept

    def load(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Begin from these weights, and from its own."""
        self._learner.load(self.model(weights))

    def train(self, steps: int) -> float:
        """Take gradient steps; return their mean loss."""
        return self._learner.train(steps)

    def update(self) -> dict[str, FloatArray]:
        """What was trained and is shared."""
        trained = self._learner.update()
        self._own |= {name: values for name, values in trained.items()
                      if name.startswith(self._prefixes)}
        return {name: values for name, values in trained.items()
                if not name.startswith(self._prefixes)}

    def model(
        self, weights: Mapping[str, npt.NDArray[np.generic]],
    ) -> dict[str, npt.NDArray[np.generic]]:
        """The area's own model: the shared one with its own tensors."""
        return {**weights, **self._own}


def scale_locally(twin: UnifiedTwin, columns: Columns) -> None:
    """Replace the constants that bring a modality to order 1 by statistics of an area's windows.

    They are no weights, so they never leave the area. A modality that was never measured keeps the
    constants; so does a channel the deviation of which is far below them.
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
    spread = torch.from_numpy(std).unsqueeze(1)
    moves = spread > MIN_STD * scale.scale
    scale.offset.copy_(torch.where(moves, torch.from_numpy(mean).unsqueeze(1), scale.offset))
    scale.scale.copy_(torch.where(moves, spread, scale.scale))

"""The likelihood that fuses the evidence of a pair, and the matcher that uses it."""

from dataclasses import dataclass

import numpy as np

from utt_ros.association.assignment import Costs
from utt_ros.association.candidates import Candidates
from utt_ros.association.pair_features import gather
from utt_ros.association.translator import Translator
from utt_ros.settings import AreaSettings
from utt_ros.types import FloatArray

MAX_DEVIATIONS = 6.0  # standard deviations; evidence beyond is as strange as that


@dataclass(frozen=True, slots=True)
class Scorer:
    """Log likelihood ratio of a pair: a perceptron with one hidden layer.

    Against the track having no phone at all, if it was trained on such; else up to a constant.
    """

    mean: FloatArray  # (F,) of the evidence in training
    std: FloatArray  # (F,)
    hidden: FloatArray  # (H, F)
    hidden_bias: FloatArray  # (H,)
    out: FloatArray  # (H,)
    level: float = 0.0

    def scale(self, evidence: FloatArray) -> FloatArray:
        """In standard deviations of the training; 0, the usual, where nothing tells."""
        scaled = np.clip((evidence - self.mean) / self.std, -MAX_DEVIATIONS, MAX_DEVIATIONS)
        return np.asarray(np.nan_to_num(scaled, nan=0.0), np.float32)

    def __call__(self, evidence: FloatArray) -> Costs:
        """Scores (...) of evidence (..., F); larger for likelier pairs."""
        felt = np.tanh(self.scale(evidence) @ self.hidden.T + self.hidden_bias)
        return np.asarray(felt @ self.out, np.float64) + self.level


class FusedMatcher:
    """The unified model's translations and motion, ranges, headings and paths, fused [D]."""

    def __init__(
        self, area: AreaSettings, translator: Translator, scorer: Scorer,
        heading_bias: float = 0.0,
    ) -> None:
        self._area, self._translator, self._scorer = area, translator, scorer
        self._bias = heading_bias

    def cost(self, seen: Candidates) -> Costs:
        """Negative log likelihood ratios (K, P), up to a constant of the track."""
        return -self._scorer(gather(seen, self._area, self._translator, self._bias))


def posterior(cost: Costs) -> Costs:
    """Probabilities (K, P) of each phone for each track by itself; rows sum to 1 [D]."""
    score = np.exp(cost.min(axis=1, keepdims=True, initial=np.inf) - cost)
    return np.asarray(score / score.sum(axis=1, keepdims=True))

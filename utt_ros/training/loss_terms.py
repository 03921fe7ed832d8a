"""What training makes small. What was not measured counts nowhere."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from utt_ros.models.operations import Operation, Pair

BETA = 0.5
TINY = 1e-6  # keeps the slope of a root finite


def translation_loss(of_pairs: Mapping[Pair, Tensor], operations: Iterable[Operation]) -> Tensor:
    """`L_transfer + L_merge + L_split`, or those of them that `operations` belong to [P, R].

    Each operation adds the loss of each of its decodings (sources, target).
    """
    return torch.stack([of_pairs[pair] for item in operations for pair in item.pairs]).sum()


def scaled_error(made: Tensor, true: Tensor, mask: Tensor, scale: Tensor) -> Tensor:
    """Mean squared errors (...) of windows (..., N, T, F), in units of `scale` (F,).

    All are compared with one `true` (N, T, F), each where its `mask` (..., N, T) holds: 0, with a
    gradient of 0, where it holds nowhere.
    """
    error = torch.where(mask.unsqueeze(-1), made - true, 0.0)
    of_channels = error.square().sum(dim=(-3, -2)) / scale.square()
    return of_channels.sum(dim=-1) / (mask.sum(dim=(-2, -1)) * made.shape[-1]).clamp(min=1)


def gaussian_loss(mean: Tensor, log_std: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """Negative log likelihood of (..., 2) where `mask` (...) holds, each weighted by std^(2 beta).

    The weight keeps a large predicted deviation from silencing the mean's gradient [S: Seitzer et
    al., ICLR 2022].
    """
    surprise = 0.5 * ((true - mean) * (-log_std).exp()).square() + log_std
    weighted = surprise * (2 * BETA * log_std.detach()).exp()
    return torch.where(mask.unsqueeze(-1), weighted, 0.0).sum() / (2 * mask.sum()).clamp(min=1)


def distance_loss(mean: Tensor, log_std: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """The same of a Laplace distribution in the plane, whose mean distances fit, not squares.

    People mostly go straight on and sometimes turn; the mean of both is where nobody goes. With
    q^2 = sum over the axes of ((true - mean) / std)^2 the negative log likelihood is, up to a
    constant, sqrt(3) q + log std_x + log std_y, as exp(-|x|) has variance 3 along an axis [D].
    """
    spread = log_std.sum(dim=-1)
    squared = ((true - mean) * (-log_std).exp()).square().sum(dim=-1)
    surprise = (3.0 * squared + TINY).sqrt() + spread
    weighted = surprise * (BETA * spread.detach()).exp()
    return torch.where(mask, weighted, 0.0).sum() / (2 * mask.sum()).clamp(min=1)

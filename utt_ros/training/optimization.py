"""Optimisation of a group of weights: AdamW with clipped gradients."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.utils import clip_grads_with_norm_


class ParameterGroup:
    """Weights by name and their optimiser."""

    def __init__(
        self, weights: Mapping[str, nn.Parameter], learning_rate: float, max_grad_norm: float,
    ) -> None:
        self._weights, self._max_grad_norm = weights, max_grad_norm
        self._optimizer = torch.optim.AdamW(list(weights.values()), lr=learning_rate, fused=True)

    def set_rate(self, rate: float) -> None:
        """Change the learning rate."""
        for group in self._optimizer.param_groups:
            group['lr'] = rate

    def step(self, loss: torch.Tensor) -> set[str]:
        """Take a gradient step; return the names of changed weights.

        Nothing changes when the gradient is not finite. Weights with an all-zero gradient are left
        alone, or their decay would look like learning.
        """
        for weight in self._weights.values():
            weight.grad = None  # as zero_grad does, which takes ten times as long
        torch.autograd.backward(loss)
        reached = {name: weight for name, weight in self._weights.items()
                   if weight.grad is not None}
        norms = torch.stack([torch.linalg.vector_norm(weight.grad) for weight in reached.values()])
        norm = torch.linalg.vector_norm(norms)
        if not norm.isfinite():
            return set()
        changed = set()
        for (name, weight), weight_norm in zip(reached.items(), norms.tolist(), strict=True):
            if weight_norm:
                changed.add(name)
            else:
                weight.grad = None
        clip_grads_with_norm_(reached.values(), self._max_grad_norm, norm)
        self._optimizer.step()
        return changed

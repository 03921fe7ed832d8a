"""Training of the likelihood that fuses evidence, on encounters of the train split."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.association.assignment import NOBODY
from utt_ros.association.pair_scorer import Scorer
from utt_ros.types import FloatArray

HIDDEN = 32
STEPS = 4000
BATCH = 256
RATE = 3e-3
DECAY = 0.3
JUDGE_EVERY = 50
MIN_STD = 1e-6  # standard deviation of what never changes

Pairs = Sequence[tuple[FloatArray, npt.NDArray[np.intp]]]  # evidence (K, P, F), owners (K,)


def train_scorer(train: Pairs, val: Pairs, seed: int) -> Scorer:
    """The scorer of least cross entropy on `val` over the phones that each track may belong to.

    Where some tracks in `train` belong to NOBODY that is a choice as well, of score 0.
    """
    nobody = any((owners == NOBODY).any() for _, owners in train)
    flat = np.concatenate([evidence.reshape(-1, evidence.shape[2]) for evidence, _ in train])
    known = np.isfinite(flat)
    number = np.maximum(known.sum(0), 1)
    mean = np.where(known, flat, 0.0).sum(0) / number
    std = np.sqrt((np.where(known, flat - mean, 0.0) ** 2).sum(0) / number)
    base = Scorer(
        mean.astype(np.float32), np.maximum(std, MIN_STD).astype(np.float32),
        np.zeros((HIDDEN, len(mean)), np.float32), np.zeros(HIDDEN, np.float32),
        np.zeros(HIDDEN, np.float32))
    lists, judged = _lists(train, base), _lists(val, base)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Linear(len(mean), HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1))
        best, least = base, np.inf
        optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
        for step in range(STEPS):
            rows = torch.randint(len(lists[0]), (BATCH,))
            optimizer.zero_grad()
            torch.autograd.backward(
                _loss(net, *(part[rows] for part in lists), nobody=nobody))
            optimizer.step()
            if step % JUDGE_EVERY == JUDGE_EVERY - 1:
                with torch.no_grad():
                    loss = _loss(net, *judged, nobody=nobody).item()
                if loss < least:
                    best, least = _scorer(net, base), loss
    return best


def _lists(pairs: Pairs, base: Scorer) -> tuple[Tensor, Tensor, Tensor]:
    """Scaled evidence (N, P, F) of every track, which phones there are (N, P), the owner (N,)."""
    most = max(evidence.shape[1] for evidence, _ in pairs)
    count = sum(len(owners) for _, owners in pairs)
    values = np.zeros((count, most, len(base.mean)), np.float32)
    there = np.zeros((count, most), bool)
    row = 0
    for evidence, owners in pairs:
        rows = slice(row, row + len(owners))
        values[rows, :evidence.shape[1]] = base.scale(evidence)
        there[rows, :evidence.shape[1]] = True
        row = rows.stop
    owner = np.concatenate([owners for _, owners in pairs])
    return torch.from_numpy(values), torch.from_numpy(there), torch.from_numpy(owner)


def _loss(
    net: nn.Module, values: Tensor, there: Tensor, owner: Tensor, *, nobody: bool,
) -> Tensor:
    scores = net(values).squeeze(2).masked_fill(~there, -1e9)
    if nobody:
        scores = torch.cat([scores, scores.new_zeros(len(scores), 1)], dim=1)
        owner = torch.where(owner == NOBODY, there.shape[1], owner)
    return F.cross_entropy(scores, owner)


def _scorer(net: nn.Sequential, base: Scorer) -> Scorer:
    weights = {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}
    return Scorer(base.mean, base.std, weights['0.weight'], weights['0.bias'],
                  weights['2.weight'][0], float(weights['2.bias'][0]))

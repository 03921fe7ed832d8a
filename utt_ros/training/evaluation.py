"""How well a model translates windows that it was not trained on."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch

from utt_ros.models.operations import Operation, Pair
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.dataset import Columns, take
from utt_ros.training.metrics import RelativeError, channel_means
from utt_ros.types import Array

BATCH = 128

Errors = dict[Pair, RelativeError]


def training_means(columns: Columns, modalities: Sequence[str]) -> dict[str, Array]:
    """What the mean predictor says of each modality, per channel."""
    return {name: channel_means(columns[name], columns[f'{name}_mask']) for name in modalities}


def relative_errors(
    twin: UnifiedTwin, columns: Columns, pairs: Sequence[Pair], means: Mapping[str, Array],
) -> Errors:
    """Errors of each decoding (sources, target), over the windows that have all its sources."""
    errors = {pair: RelativeError(means[pair[1]]) for pair in pairs}
    for begin in range(0, len(next(iter(columns.values()))), BATCH):
        _add(twin, take(columns, slice(begin, begin + BATCH)), errors)
    return errors


def nmse_by_operation(errors: Errors, operations: Iterable[Operation]) -> dict[str, float]:
    """NMSE_var by name of operation; a split has the mean over its targets."""
    return {item.name: float(np.mean([errors[pair].nmse_var for pair in item.pairs]))
            for item in operations}


@torch.no_grad()
def _add(twin: UnifiedTwin, columns: Columns, errors: Errors) -> None:
    names = {name for sources, target in errors for name in (*sources, target)}
    features, present = twin.encode(
        {name: torch.from_numpy(columns[name]) for name in names},
        {name: torch.from_numpy(columns[f'{name}_mask']) for name in names})
    there = dict(zip(twin.settings.modalities, present.numpy().T, strict=True))
    for pair, window in twin.decode_pairs(features, list(errors)).items():
        sources, target = pair
        complete = np.all([there[name] for name in sources], axis=0)
        mask = columns[f'{target}_mask'] & complete[:, None]
        errors[pair].add(window.numpy(), columns[target], mask)

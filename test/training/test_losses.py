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

"""Losses against numbers computed by hand and against a plain sum over operations."""

from collections.abc import Callable
from math import log

import numpy as np
import pytest
import torch

from utt_ros.models.operations import Operation, Pair, operations, unique_pairs
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training import losses
from utt_ros.training.columns import Columns
from utt_ros.training.dataset import make_examples
from utt_ros.training.losses import (
    TranslationObjective,
    distance_loss,
    gaussian_loss,
    scaled_error,
    translation_loss,
)
from utt_ros.types import Indices, Windows

Walk = Callable[..., Windows]
MODEL = ModelSettings(width=16, heads=2, feedforward=16)
AREA = AreaSettings(magnetic_yaw=0.5)
TRUE = torch.tensor([[[1.0, 10.0], [2.0, 20.0]]])
PREDICTED = torch.tensor([[[2.0, 30.0], [9.0, 99.0]]])


def test_errors_are_in_units_of_their_channel_and_only_where_measured() -> None:
    mask, scale = torch.tensor([[True, False]]), torch.tensor([1.0, 10.0])
    assert scaled_error(PREDICTED, TRUE, mask, scale) == pytest.approx((1 + 4) / 2)


def test_unmeasured_values_contribute_neither_loss_nor_gradient_even_if_nan() -> None:
    predicted = PREDICTED.clone().requires_grad_()
    true = torch.full_like(TRUE, torch.nan)
    loss = scaled_error(predicted, true, torch.zeros(1, 2, dtype=torch.bool), torch.ones(2))
    loss.backward()
    assert loss == 0.0
    assert predicted.grad is not None
    assert not predicted.grad.any()


def test_a_split_adds_its_decodings_to_those_of_the_transfers() -> None:
    wanted = operations(('camera', 'ftm', 'imu'))
    losses = {pair: torch.tensor(float(10**place))
              for place, pair in enumerate(unique_pairs(wanted))}
    transfers = sum(loss for (sources, _), loss in losses.items() if len(sources) == 1)
    merges = sum(loss for (sources, _), loss in losses.items() if len(sources) == 2)
    assert translation_loss(losses, wanted) == 2 * transfers + merges


def test_gaussian_loss_is_the_weighted_negative_log_likelihood() -> None:
    mean, true = torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0]])
    log_std = torch.tensor([[log(2.0), 0.0]])
    everything = torch.tensor([True])
    expected = (2.0 * (0.5 + log(2.0)) + 0.0) / 2  # beta of one half weights by the deviation
    assert gaussian_loss(mean, log_std, true, everything) == pytest.approx(expected)
    assert gaussian_loss(mean, log_std, true, ~everything) == 0.0


def test_gaussian_loss_is_minimal_at_the_deviation_of_the_error() -> None:
    log_std = torch.zeros(1, 2, requires_grad=True)
    error = torch.tensor([[1.0, 1.0]])
    gaussian_loss(torch.zeros(1, 2), log_std, error, torch.tensor([True])).backward()
    assert log_std.grad is not None
    torch.testing.assert_close(log_std.grad, torch.zeros(1, 2))


def test_distance_loss_is_minimal_at_the_median_and_at_the_deviation() -> None:
    rng = np.random.default_rng(0)
    radius, angle = rng.gamma(2.0, 1.0, 20_000), rng.uniform(0.0, 2 * np.pi, 20_000)
    away = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)  # density exp(-|x|)
    away[:2000, 0] += 20.0  # some go elsewhere: a mean would follow them by 2
    true = torch.tensor(away, dtype=torch.float32)
    mean, log_std = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_std], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss = distance_loss(
            mean.expand_as(true), log_std.expand_as(true), true, torch.ones(len(true), dtype=bool))
        loss.backward()
        optimizer.step()
    assert mean.detach().abs().max() < 0.5
    plain = true[2000:]
    for _ in range(300):
        optimizer.zero_grad()
        loss = distance_loss(mean.expand_as(plain), log_std.expand_as(plain), plain,
                             torch.ones(len(plain), dtype=bool))
        loss.backward()
        optimizer.step()
    assert log_std.detach().exp().numpy() == pytest.approx(plain.std(0).numpy(), rel=0.03)


def test_distance_loss_has_finite_gradients_where_the_prediction_is_exact() -> None:
    mean = torch.zeros(3, 2, requires_grad=True)
    loss = distance_loss(mean, torch.zeros(3, 2), torch.zeros(3, 2), torch.tensor([1, 1, 0]) > 0)
    loss.backward()
    assert mean.grad is not None
    assert mean.grad.isfinite().all()


def test_the_batched_loss_and_its_gradients_equal_those_of_the_sum_over_operations(
    shape: WindowSettings, walk: Walk, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator,
) -> None:
    monkeypatch.setattr(losses, 'OUTAGES', {})
    monkeypatch.setattr(losses, 'PERTURBATIONS', {})
    monkeypatch.setattr(losses, 'MIRRORED', 0.0)
    monkeypatch.setattr(losses, 'DROPOUT', 0.0)
    windows = walk(AREA, 12)
    windows.masks['camera'][:4] = False
    windows.masks['imu'][4:6] = False
    batch, twin = make_examples(windows, AREA, shape), UnifiedTwin(MODEL, shape)
    loss = TranslationObjective(
        twin, MODEL.modalities, operations(MODEL.modalities))(batch, rng)
    errors = []
    for operation in operations(MODEL.modalities):
        use = np.array([name in operation.sources for name in MODEL.modalities])
        complete = np.all([batch[f'{name}_mask'].any(1) for name in operation.sources], axis=0)
        tensors = {key: torch.from_numpy(values[complete]) for key, values in batch.items()}
        features, _ = twin.encode(
            {name: tensors[name] for name in operation.sources},
            {name: tensors[f'{name}_mask'] for name in operation.sources})
        fused = twin.fuse(features, torch.from_numpy(np.tile(use, (complete.sum(), 1))))
        for target in operation.targets:
            error = (twin.decode(target, fused) - tensors[target])[tensors[f'{target}_mask']]
            errors.append((error / torch.tensor(twin.modalities[target].scale)).square().mean())
    expected = torch.stack(errors).sum()
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=0)
    read = {name: weight for name, weight in twin.named_parameters()
            if not name.startswith(('motion', 'stride'))}
    gradients, wanted = (
        dict(zip(read, torch.autograd.grad(total, list(read.values())), strict=True))
        for total in (loss, expected))
    torch.testing.assert_close(gradients, wanted, rtol=1e-3, atol=1e-5)


def test_merges_learn_from_corrupted_sources_and_transfers_do_not(
    shape: WindowSettings, walk: Walk, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator,
) -> None:
    found: dict[Pair, torch.Tensor] = {}

    def corrupt(columns: Columns, source: str, rows: Indices, _donors: Indices) -> Columns:
        values = columns[source].copy()
        values[rows] = np.nan  # where it is read, the loss is as well
        return columns | {source: values}

    def keep(of_pairs: dict[Pair, torch.Tensor], wanted: list[Operation]) -> torch.Tensor:
        found.update(of_pairs)
        return translation_loss(of_pairs, wanted)

    monkeypatch.setattr(losses, 'corrupt_source', corrupt)
    monkeypatch.setattr(losses, 'translation_loss', keep)
    twin, batch = UnifiedTwin(MODEL, shape), make_examples(walk(AREA, 24), AREA, shape)
    TranslationObjective(
        twin, MODEL.modalities, operations(MODEL.modalities), corruption=0.5)(batch, rng)
    assert len(found) == 9
    for (sources, _), loss in found.items():
        assert loss.isfinite() == (len(sources) == 1)


def test_corruption_replaces_a_source_by_that_of_another_window_and_keeps_targets(
    shape: WindowSettings, walk: Walk, rng: np.random.Generator,
) -> None:
    batch = make_examples(walk(AREA, 24), AREA, shape)
    before = {name: values.copy() for name, values in batch.items()}
    wanted = operations(MODEL.modalities, ('merge',))
    loss = TranslationObjective(
        UnifiedTwin(MODEL, shape), MODEL.modalities, wanted, corruption=1.0)(batch, rng)
    assert loss.isfinite()
    for name, values in before.items():
        np.testing.assert_array_equal(batch[name], values)

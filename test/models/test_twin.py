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

"""The unified model."""

import resource

import numpy as np
import pytest
import torch
from torch import Tensor

from utt_ros.errors import ModelError
from utt_ros.models.modalities import (
    Modality,
    select_modalities,
    window_decoder,
    window_encoder,
)
from utt_ros.models.operations import operations, unique_pairs
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import (
    UnifiedTwin,
    build_twin,
    check_weights,
    initial_weights,
    load_weights,
    read_weights,
)
from utt_ros.settings import WindowSettings

MODEL = ModelSettings(width=16, heads=2, feedforward=16)
WINDOW = WindowSettings(ticks=7, imu_rows=3, horizon=5)  # neither fits the strides
LIDAR = Modality(
    'lidar', lambda window: 2 * window.ticks, offset=(0.0,) * 4, scale=(1.0,) * 4,
    encoder=window_encoder(2), decoder=window_decoder(2, 2))


def sample(
    model: ModelSettings, count: int, *further: Modality,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    values, masks = {}, {}
    for name, item in select_modalities(model.modalities, further).items():
        noise = torch.randn(count, item.rows(WINDOW), len(item.scale))
        values[name] = noise * torch.tensor(item.scale) + torch.tensor(item.offset)
        masks[name] = torch.rand(count, item.rows(WINDOW)) > 0.3
    return values, masks


def test_every_pair_is_decoded_to_the_shape_of_its_target() -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    values, masks = sample(MODEL, 4)
    features, present = twin.encode(values, masks)
    assert features.shape == (4, 3, 16)
    assert present.all()
    decoded = twin.decode_pairs(features, unique_pairs(operations(MODEL.modalities)))
    assert len(decoded) == 9
    assert all(window.shape == values[target].shape for (_, target), window in decoded.items())


def test_batched_operations_equal_those_computed_one_by_one() -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    features, _ = twin.encode(*sample(MODEL, 3))
    decoded = twin.decode_pairs(features, unique_pairs(operations(MODEL.modalities, subsets=True)))
    for (sources, target), window in decoded.items():
        use = torch.tensor([[name in sources for name in MODEL.modalities]] * 3)
        alone = twin.decode(target, twin.fuse(features, use))
        torch.testing.assert_close(window, alone, rtol=1e-4, atol=1e-4)


def test_all_operations_take_one_call_of_each_network() -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    calls: list[str] = []
    for name, module in twin.named_modules():
        if name == 'fusor' or name in {f'{kind}.{item}' for kind in ('encoders', 'decoders')
                                       for item in MODEL.modalities}:
            module.register_forward_pre_hook(lambda *_, name=name: calls.append(name))
    features, _ = twin.encode(*sample(MODEL, 3))
    twin.decode_pairs(features, unique_pairs(operations(MODEL.modalities)))
    assert sorted(calls) == [
        'decoders.camera', 'decoders.ftm', 'decoders.imu',
        'encoders.camera', 'encoders.ftm', 'encoders.imu', 'fusor']


def test_masked_values_do_not_matter_not_even_nan() -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    values, masks = sample(MODEL, 3)
    other = {name: torch.where(masks[name].unsqueeze(2), item, torch.nan)
             for name, item in values.items()}
    torch.testing.assert_close(twin.encode(values, masks)[0], twin.encode(other, masks)[0])


def test_a_window_without_measurements_is_a_missing_modality() -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    values, masks = sample(MODEL, 2)
    masks['camera'][1] = False
    features, present = twin.encode(values, masks)
    assert present.tolist() == [[True, True, True], [False, True, True]]
    assert features.isfinite().all()
    without, absent = twin.encode(*({name: item[name] for name in ('ftm', 'imu')}
                                    for item in (values, masks)))
    assert absent.tolist() == [[False, True, True]] * 2
    torch.testing.assert_close(twin.fuse(features, present)[1], twin.fuse(without, absent)[1])


def test_a_modality_read_alone_is_its_own_fusion() -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    features, _ = twin.encode(*sample(MODEL, 2))
    alone = twin.fuse(features, torch.tensor([[False, True, False]] * 2))
    torch.testing.assert_close(alone, features[:, 1])


def test_other_subjects_of_a_batch_do_not_matter() -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    values, masks = sample(MODEL, 3)
    first = twin.encode({name: item[:1] for name, item in values.items()},
                        {name: item[:1] for name, item in masks.items()})[0]
    torch.testing.assert_close(twin.encode(values, masks)[0][:1], first)


def test_a_modality_that_is_passed_takes_part_in_every_operation() -> None:
    model = ModelSettings(
        width=16, heads=2, feedforward=16, modalities=('camera', 'ftm', 'imu', 'lidar'))
    twin = UnifiedTwin(model, WINDOW, [LIDAR])
    features, _ = twin.encode(*sample(model, 2, LIDAR))
    wanted = unique_pairs(operations(model.modalities, subsets=True))
    decoded = twin.decode_pairs(features, wanted)
    assert decoded[('camera', 'ftm', 'imu'), 'lidar'].shape == (2, 14, 4)
    with pytest.raises(ModelError, match=r"modality is 'lidar'.*camera.*ftm.*imu"):
        UnifiedTwin(model, WINDOW)


def test_equal_seeds_give_equal_weights_and_leave_the_generator_alone() -> None:
    state = torch.get_rng_state()
    first, second, other = (initial_weights(MODEL, WINDOW, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)
    assert list(first) == sorted(first)


def test_weights_are_read_as_copies_and_loaded_back() -> None:
    weights = initial_weights(MODEL, WINDOW, 5)
    twin = build_twin(MODEL, WINDOW, weights)
    weights['motion.say.bias'] += 1
    assert not read_weights(twin)['motion.say.bias'].any()


@pytest.mark.parametrize(('change', 'reason'), [
    (lambda weights: weights.pop('motion.say.bias'), "missing tensor 'motion.say.bias'"),
    (lambda weights: weights.update(extra=np.zeros(1, np.float32)), "unknown tensor 'extra'"),
    (lambda weights: weights.update({'motion.say.bias': np.zeros(3, np.float32)}),
     r"'motion.say.bias' is float32 \(3,\): it must be float32 \(4, 1, 25\)"),
    (lambda weights: weights.update({'motion.say.bias': np.zeros(25)}), 'is float64'),
    (lambda weights: weights['motion.say.bias'].fill(np.nan), "'motion.say.bias' is not finite"),
])
def test_weights_that_do_not_fit_are_refused_and_change_nothing(
    change: object, reason: str,
) -> None:
    twin = UnifiedTwin(MODEL, WINDOW)
    before = read_weights(twin)
    weights = initial_weights(MODEL, WINDOW, 5)
    change(weights)  # type: ignore[operator]
    with pytest.raises(ModelError, match=reason):
        load_weights(twin, weights)
    assert all(np.array_equal(before[name], after) for name, after in read_weights(twin).items())


def test_weights_are_compared_without_the_memory_of_a_model_of_their_settings() -> None:
    weights = initial_weights(MODEL, WINDOW, 0)
    check_weights(MODEL, WINDOW, weights)
    giant = ModelSettings(width=1024, feedforward=4096, encoder_layers=16, decoder_layers=16)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # its weights take 3 GB
    with pytest.raises(ModelError, match='names differ'):
        check_weights(giant, WINDOW, weights)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize('target', ['camera', 'ftm', 'imu'])
@pytest.mark.parametrize('layers', [1, 2])
def test_newest_rows_alone_are_those_of_the_whole_window(target: str, layers: int) -> None:
    model = ModelSettings(width=16, heads=2, feedforward=16, decoder_layers=layers)
    twin = UnifiedTwin(model, WindowSettings()).eval()
    feature = torch.randn(3, 16)
    with torch.no_grad():
        whole = twin.decode(target, feature)
        for newest in (1, 2, 5, 8, 17, whole.shape[1]):
            torch.testing.assert_close(twin.decode(target, feature, newest), whole[:, -newest:])

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

"""Fine-tuning of chosen decodings: budget, selection, and judging on windows never trained on."""

from collections.abc import Callable
from dataclasses import replace
from math import isfinite

import numpy as np
import pytest
import torch

from utt_ros.errors import SettingsError
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin, build_twin, initial_weights, read_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.columns import CENTRE, Columns
from utt_ros.training.dataset import make_examples
from utt_ros.training.fine_tuning import (
    EVALUATION_STEPS,
    FIRST_PATIENCE,
    MAX_SELECTION,
    MIN_WINDOWS,
    PASSES,
    FineTuning,
    FineTuningBudget,
    complete_windows,
    judge,
    newest_examples,
    split_for_selection,
)
from utt_ros.training.replay_buffer import ReplayBuffer
from utt_ros.training.settings import LearningSettings
from utt_ros.types import CAMERA_CHANNELS, Windows

Walk = Callable[..., Windows]
MODEL = ModelSettings(width=16, heads=2, feedforward=16)
AREA = AreaSettings()
PAIR = (('ftm', 'imu'), 'camera')
LEARNING = LearningSettings(batch=32)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def model(shape: WindowSettings, seed: int = 0) -> UnifiedTwin:
    return build_twin(MODEL, shape, initial_weights(MODEL, shape, seed))


def numbered(count: int, camera: slice = slice(None)) -> Columns:
    """Windows of camera and ranges, numbered in the first channel; boxes only in `camera`."""
    seen = np.zeros((count, 4), bool)
    seen[camera] = True
    values = np.arange(count, dtype=np.float32)[:, None, None]
    return {CENTRE: np.zeros(count, np.float32),
            'camera': np.broadcast_to(values, (count, 4, 5)), 'camera_mask': seen,
            'ftm': np.broadcast_to(values, (count, 4, 2)), 'ftm_mask': np.ones((count, 4), bool)}


def test_fine_tuning_reduces_the_error_of_its_decoding_on_windows_never_trained_on(
    shape: WindowSettings, walk: Walk,
) -> None:
    examples, held_out = (make_examples(walk(AREA, count), AREA, shape) for count in (400, 100))
    twin = model(shape)
    before = judge(twin, held_out, examples, PAIR)
    tuning = FineTuning(twin, examples, [PAIR], learning=LEARNING, budget=FineTuningBudget(400))
    while not tuning.done:
        tuning.step()
    tuning.finish()
    after = judge(twin, held_out, examples, PAIR)
    assert before.windows == after.windows == 100
    assert set(after.nmse) <= set(CAMERA_CHANNELS)
    assert after.mean_nmse < 0.6 * before.mean_nmse
    assert after.std['depth_m'] < before.std['depth_m']


def test_only_networks_of_the_wanted_decoding_change(shape: WindowSettings, walk: Walk) -> None:
    twin = model(shape)
    tuning = FineTuning(
        twin, make_examples(walk(AREA, 60), AREA, shape), [(('ftm',), 'camera')],
        learning=LEARNING, budget=FineTuningBudget(60))
    tuning.step()
    before, after = initial_weights(MODEL, shape, 0), read_weights(twin)
    changed = {name.partition('.')[0] + '.' + name.split('.')[1] for name in before
               if not np.array_equal(before[name], after[name])}
    assert changed == {'encoders.ftm', 'decoders.camera'}


def test_budget_of_seconds_ends_the_training(shape: WindowSettings, walk: Walk) -> None:
    now = iter(range(1000))
    tuning = FineTuning(
        model(shape), make_examples(walk(AREA, 60), AREA, shape), [PAIR], learning=LEARNING,
        budget=FineTuningBudget(max_seconds=12.0), clock=lambda: float(next(now)))
    steps = 0
    while not tuning.done:
        tuning.step()
        steps += 1
    assert 1 < steps < 12
    assert tuning.progress.step == steps
    assert tuning.progress.seconds_left <= 0.0


def test_number_of_steps_is_bounded_by_passes_over_the_windows(
    shape: WindowSettings, walk: Walk,
) -> None:
    tuning = FineTuning(
        model(shape), make_examples(walk(AREA, 100), AREA, shape), [PAIR],
        learning=replace(LEARNING, batch=25), budget=FineTuningBudget(100))
    trained = 100 - 20 - 5  # less those that select, and the guard
    assert tuning.progress.steps == PASSES * trained / 25
    assert tuning.windows == 100


def test_weights_that_select_worse_than_the_first_ones_are_dropped(
    shape: WindowSettings, walk: Walk,
) -> None:
    examples = make_examples(walk(AREA, 200), AREA, shape)
    twin = model(shape)
    good = FineTuning(twin, examples, [PAIR], learning=LEARNING, budget=FineTuningBudget(200))
    while not good.done:
        good.step()
    best = good.finish()
    noise = {name: values[np.random.default_rng(0).permutation(200)] if name == 'camera'
             else values for name, values in examples.items()}
    noise = {name: np.concatenate([values[:150], examples[name][150:]])
             for name, values in noise.items()}
    worse = FineTuning(
        twin, noise, [PAIR], learning=replace(LEARNING, learning_rate=0.1),
        budget=FineTuningBudget(200))
    steps = 0
    while not worse.done:
        worse.step()
        steps += 1
    kept = worse.finish()
    assert steps == EVALUATION_STEPS * FIRST_PATIENCE
    assert good.has_gained
    assert not worse.has_gained
    assert all(np.array_equal(best[name], kept[name]) for name in best)
    assert all(np.array_equal(best[name], values) for name, values in read_weights(twin).items())


def test_equal_seeds_give_equal_weights(shape: WindowSettings, walk: Walk) -> None:
    examples = make_examples(walk(AREA, 80), AREA, shape)
    trained = []
    for _ in range(2):
        tuning = FineTuning(
            model(shape), examples, [PAIR], learning=LEARNING, budget=FineTuningBudget(80))
        for _ in range(3):
            tuning.step()
        trained.append(read_weights(tuning.twin))
    assert all(np.array_equal(trained[0][name], values) for name, values in trained[1].items())


def test_too_few_windows_are_refused_with_both_numbers(
    shape: WindowSettings, walk: Walk,
) -> None:
    few = make_examples(walk(AREA, MIN_WINDOWS - 1), AREA, shape)
    with pytest.raises(SettingsError, match=f'{MIN_WINDOWS - 1} windows .* {MIN_WINDOWS}'):
        FineTuning(model(shape), few, [PAIR], learning=LEARNING, budget=FineTuningBudget(100))


def test_newest_complete_windows_are_copied_in_order_of_age() -> None:
    buffer = ReplayBuffer(10)
    buffer.add(numbered(14, camera=slice(6, 13)))  # 4..13 are left; 6..12 have boxes
    pairs = [(('ftm',), 'camera')]
    assert newest_examples(buffer, pairs)['ftm'][:, 0, 0].tolist() == [6, 7, 8, 9, 10, 11, 12]
    newest = newest_examples(buffer, pairs, 3)
    assert newest['ftm'][:, 0, 0].tolist() == [10, 11, 12]
    newest['ftm'][:] = -1
    assert (buffer.all()['ftm'] >= 0).all()
    assert not len(newest_examples(ReplayBuffer(10), pairs)[CENTRE])


def test_windows_are_complete_with_all_sources_and_the_target_of_one_decoding() -> None:
    columns = numbered(4, camera=slice(0, 2))
    columns['ftm_mask'] = np.array([1, 0, 1, 0], bool)[:, None] & columns['ftm_mask']
    assert complete_windows(columns, [(('ftm',), 'camera')]).tolist() == [
        True, False, False, False]


def test_windows_that_select_are_the_newest_and_no_neighbours_of_those_that_train() -> None:
    training, selection = split_for_selection(numbered(1000))
    assert training['ftm'][-1, 0, 0] == 749
    assert selection['ftm'][[0, -1], 0, 0].tolist() == [800, 999]
    many = split_for_selection(numbered(10_000))[1]
    assert len(many[CENTRE]) <= MAX_SELECTION


def test_judgement_is_that_of_a_known_error(shape: WindowSettings, walk: Walk) -> None:
    held_out = make_examples(walk(AREA, 50), AREA, shape)
    held_out['camera_mask'][:10] = False
    twin = model(shape)
    found = judge(twin, held_out, held_out, PAIR)
    given = {name: torch.from_numpy(held_out[name]) for name in ('ftm', 'imu')}
    masks = {name: torch.from_numpy(held_out[f'{name}_mask']) for name in given}
    with torch.no_grad():
        boxes = twin.decode_pairs(twin.encode(given, masks)[0], [PAIR])[PAIR].numpy()
    error = (boxes - held_out['camera'])[10:].astype(np.float64)
    spread = held_out['camera'][10:] - held_out['camera'][10:].mean((0, 1), dtype=np.float64)
    assert found.windows == 40
    assert list(found.nmse.values()) == pytest.approx(
        (error**2).sum((0, 1)) / (spread**2).sum((0, 1)), rel=1e-4)
    assert list(found.std.values()) == pytest.approx(
        np.sqrt((error[:, -1]**2).mean(0)), rel=1e-4)


def test_channel_that_never_varies_is_left_out(shape: WindowSettings, walk: Walk) -> None:
    held_out = make_examples(walk(AREA, 30), AREA, shape)
    found = judge(model(shape), held_out, held_out, (('camera', 'imu'), 'ftm'))
    assert 'std_m' not in found.nmse  # the simulated walk announces a constant one
    assert isfinite(found.mean_nmse)


@pytest.mark.parametrize(('budget', 'message'), [
    ({'max_windows': -1}, 'max_windows is -1: it must be at least 0'),
    ({'max_seconds': 1e6}, 'max_seconds is 1000000.0: it must be at most 86400.0'),
    ({'max_seconds': float('nan')}, 'max_seconds is nan: it must be finite'),
])
def test_budget_outside_its_limits_is_refused(budget: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        FineTuningBudget(**budget)
    assert FineTuningBudget().is_zero

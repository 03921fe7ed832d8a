"""Training for experiments."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from utt_ros.errors import SettingsError
from utt_ros.evaluation.recipes import direct, directions, with_past
from utt_ros.models.modalities import modality
from utt_ros.models.operations import Operation
from utt_ros.models.twin import initial_weights, read_weights
from utt_ros.training.offline_trainer import (
    Judge,
    Pupil,
    Recipe,
    centralised,
    make_learners,
    train,
)
from utt_ros.training.recordings import Data
from utt_ros.training.windows import paired_examples, past, unified_examples


def test_every_area_learns_of_its_own_windows_alone(data: Data, recipe: Recipe) -> None:
    learners = make_learners(data, recipe, 0)
    together = make_learners(data, centralised(recipe), 0)
    assert list(learners) == ['area0', 'area1']
    assert learners['area1'].modalities == ('ftm', 'imu')
    assert sum(len(one.kept) for one in learners.values()) == len(together['all'].kept)


@pytest.mark.parametrize('plan', ['federated', 'centralised'])
def test_the_best_model_on_validation_is_kept(data: Data, recipe: Recipe, plan: str) -> None:
    made = train(data, replace(recipe, plan=plan), 0)
    judge = Judge(data, recipe)
    parts = judge(read_weights(made.twin))
    assert made.score == pytest.approx(sum(parts.values()))
    assert made.score <= min(made.history) + 0.004  # of two parts
    assert len(made.mapped.rounds) == recipe.rounds


def test_of_strides_which_nothing_judges_the_last_are_kept(data: Data, recipe: Recipe) -> None:
    made = train(data, recipe, 0)
    kept, last = read_weights(made.twin), made.mapped.weights
    strides = [name for name in kept if name.startswith('stride.')]
    assert strides
    assert all(np.array_equal(kept[name], last[name]) for name in strides)


def test_training_ends_when_no_round_is_better(data: Data, recipe: Recipe) -> None:
    stuck = replace(recipe, learning_rate=0.0, rounds=9, patience=2)
    assert len(train(data, stuck, 0).history) == 3


def test_the_same_seed_gives_the_same_model(data: Data, recipe: Recipe) -> None:
    first, again = (read_weights(train(data, recipe, 3).twin) for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_training_never_reads_the_test_split(data: Data, recipe: Recipe) -> None:
    blind = replace(data, recordings=data.of('train') + data.of('val'))
    first, again = (read_weights(train(each, recipe, 0).twin) for each in (data, blind))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_direct_mapping_reads_the_window_before_alone(data: Data, recipe: Recipe) -> None:
    one = direct(recipe, 'ftm')
    assert one.operations == (Operation('transfer', ('ftm_past',), ('ftm',)),)
    columns = paired_examples(data, 'train', None, 5)
    learner = Pupil(one, data, columns, 0)
    learner.train(1)
    assert not [name for name in learner.update() if 'encoders.ftm.' in name]
    assert [name for name in learner.update() if 'encoders.ftm_past.' in name]


def test_past_and_window_are_halves_of_one_stretch(data: Data) -> None:
    columns = paired_examples(data, 'train', 'area0', 7)
    whole = data.windows('train', 'area0', stride=7, ticks=2 * data.shape.ticks).windows
    for name, values in whole.values.items():
        halves = np.concatenate([columns[past(name)], columns[name]], axis=1)
        assert np.array_equal(halves, values)


def test_every_direction_has_its_past_in_the_model_that_reads_it() -> None:
    names = ('camera', 'ftm', 'imu')
    pairs = {(tuple(sorted((*sources, past(target)))), target)
             for _, (sources, target) in directions(names)}
    assert pairs == {pair for item in with_past(Recipe(), names).operations for pair in item.pairs}


def test_the_past_is_scaled_like_the_modality() -> None:
    assert modality('camera_past').scale == modality('camera').scale


def test_a_recipe_refuses_an_unknown_plan() -> None:
    with pytest.raises(SettingsError, match='plan is'):
        Recipe(plan='somewhere')


@pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no CUDA device')
def test_processor_and_cuda_agree_on_loss_and_step(data: Data, recipe: Recipe) -> None:
    columns = unified_examples(data, 'train', 'area0', 5)
    here, there = (Pupil(recipe, data, columns, 0) for _ in range(2))
    here.twin.to('cpu')
    for learner in (here, there):
        learner.load(initial_weights(recipe.model, data.shape, 0))
    assert here.train(3) == pytest.approx(there.train(3), rel=1e-3)
    ours, theirs = here.update(), there.update()
    assert ours.keys() == theirs.keys()
    assert all(np.allclose(ours[name], theirs[name], atol=1e-3) for name in ours)

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

"""Local training of one area."""

from collections.abc import Callable
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
import torch

from utt_ros.access_point_list import AccessPoint
from utt_ros.errors import ModelError
from utt_ros.geometry.compass import rotate
from utt_ros.models.operations import operations
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import initial_weights, read_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.labels import heading_frame_targets
from utt_ros.training.settings import LearningSettings
from utt_ros.training.trainer import Evaluation, LocalTrainer, area_trainer
from utt_ros.types import Windows

Walk = Callable[..., Windows]
MODEL = ModelSettings(width=16, heads=2, feedforward=16)
READS_ALL = replace(MODEL, access_points_read='all')
AREA = AreaSettings(magnetic_yaw=0.5)
THREE_APS = AreaSettings(magnetic_yaw=0.5, access_points=(
    AccessPoint('a', (0.0, 0.0, 2.5)), AccessPoint('b', (8.0, 6.0, 2.5)),
    AccessPoint('c', (12.0, -5.0, 2.5))))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def trainer_of(
    shape: WindowSettings, area: AreaSettings = AREA, model: ModelSettings = MODEL,
    **learning: object,
) -> LocalTrainer:
    return area_trainer(model, shape, area, LearningSettings(batch=32, **learning))  # type: ignore[arg-type]


def area_with(*modalities: str) -> AreaSettings:
    return AreaSettings(modalities=modalities)


def networks(names: set[str] | dict) -> set[str]:
    return {'.'.join(name.split('.')[:2]) for name in names}


def test_training_reduces_the_errors_on_held_out_windows(
    shape: WindowSettings, walk: Walk,
) -> None:
    trainer = trainer_of(shape)
    trainer.memory.observe(walk(AREA, 400), AREA, shape)
    trainer.memory.observe(walk(AREA, 100, first_s=110.0), AREA, shape)
    assert (len(trainer.memory.training), len(trainer.memory.held_out)) == (400, 100)
    before = trainer.evaluate().nmse
    assert set(before) == {item.name for item in operations(MODEL.modalities)}
    first = trainer.train(10)
    for _ in range(9):
        last = trainer.train(10)
    after = trainer.evaluate().nmse
    assert last < 0.8 * first
    gates = trainer.evaluate().gates
    assert set(gates) == set(MODEL.modalities)
    assert all(0.0 < gate < 1.0 for gate in gates.values())
    assert trainer.steps == 100
    assert after['transfer:camera->ftm'] < min(0.7, before['transfer:camera->ftm'])
    assert after['merge:ftm+imu->camera'] < 0.5 * before['merge:ftm+imu->camera']


def test_weights_of_areas_with_one_and_with_three_access_points_are_averaged(
    shape: WindowSettings, walk: Walk,
) -> None:
    trainers = {area: trainer_of(shape, area, READS_ALL) for area in (AREA, THREE_APS)}
    weights = initial_weights(READS_ALL, shape, 1)
    errors = []
    for _ in range(3):
        updates = []
        for area, trainer in trainers.items():
            if not trainer.window_count:
                trainer.memory.observe(walk(area, 200), area, shape)
                trainer.memory.observe(walk(area, 50, first_s=110.0), area, shape)
            trainer.load(weights)
            errors.append(trainer.evaluate().nmse['transfer:ftm->camera'])
            trainer.train(10)
            updates.append(trainer.update())
        one, three = updates
        assert one.keys() == three.keys()
        weights = weights | {name: (one[name] + three[name]) / 2 for name in one}
    assert all(after < before for before, after in zip(errors[:2], errors[-2:], strict=True))


def test_a_model_of_the_first_access_point_learns_the_same_without_the_others(
    shape: WindowSettings, walk: Walk,
) -> None:
    updates = []
    windows = walk(THREE_APS, 100)
    for dropped in ((), ('further_ftm',)):
        values, masks = ({name: part for name, part in parts.items() if name not in dropped}
                         for parts in (windows.values, windows.masks))
        trainer = trainer_of(shape, THREE_APS)
        trainer.memory.observe(
            replace(windows, values=values, masks=masks), THREE_APS, shape)
        trainer.load(initial_weights(MODEL, shape, 1))
        trainer.train(3)
        updates.append(trainer.update())
    several, one = updates
    assert several.keys() == one.keys()
    assert all(several[name].tobytes() == one[name].tobytes() for name in one)


def test_velocity_transfers_to_another_area_without_a_camera(
    shape: WindowSettings, walk: Walk,
) -> None:
    trainer = trainer_of(shape, terms=('motion',))
    trainer.memory.observe(walk(AREA, 600), AREA, shape)
    trainer.train(200)
    other_area = AreaSettings(magnetic_yaw=-2.0)
    other = trainer_of(shape, other_area)
    other.memory.observe(walk(other_area, 200), other_area, shape)
    examples = other.memory.training.all()
    none = np.zeros(200, bool)
    targets = heading_frame_targets(
        examples, examples['heading_valid'], examples['course'], none, examples['gait'])
    with torch.no_grad():
        predicted = trainer.twin.motion(torch.from_numpy(targets.context)).velocity
    velocity = rotate(predicted.numpy(), examples['heading'])
    error = np.linalg.norm(velocity - examples['velocity'], axis=1)
    speed = np.linalg.norm(examples['velocity'], axis=1)
    assert error.mean() < 0.35 * speed.mean()
    assert np.corrcoef(np.linalg.norm(velocity, axis=1), speed)[0, 1] > 0.8


def test_the_gait_head_learns_that_faster_walkers_swing_more(
    shape: WindowSettings, walk: Walk,
) -> None:
    trainer = trainer_of(shape, terms=('motion',))
    trainer.memory.observe(walk(AREA, 400), AREA, shape)
    trainer.train(100)
    with torch.no_grad():
        swing = trainer.twin.stride(torch.ones(2), torch.tensor([[0.6, 0.0], [0.0, 1.5]]))
    bounce = swing.log_rms[:, 2, 1].exp().numpy()  # up, with each step
    assert bounce == pytest.approx(2.0 * np.array([0.6, 1.5]) / np.sqrt(2), rel=0.3)
    assert swing.cadence.numpy() == pytest.approx([2.0, 2.0], abs=0.15)


def test_translation_is_trained_alike_with_and_without_gait_labels(
    shape: WindowSettings, walk: Walk,
) -> None:
    windows, learned = walk(AREA, 64), []
    for blank in (False, True):
        torch.manual_seed(1)
        trainer = trainer_of(shape)
        trainer.memory.observe(windows, AREA, shape)
        trainer.memory.training.all()['swing_valid'][:] &= not blank
        trainer.train(3)
        learned.append(trainer.update())
    assert 'stride.say.bias' in set(learned[0]) - set(learned[1])
    assert all(np.array_equal(learned[0][name], values) for name, values in learned[1].items())


@pytest.mark.parametrize(('modalities', 'trained'), [
    (('ftm', 'imu'), {
        'encoders.ftm', 'encoders.imu', 'decoders.ftm', 'decoders.imu', 'stride.unknown'}),
    (('ftm',), set()),
    (('camera', 'ftm'), {
        'encoders.camera', 'encoders.ftm', 'decoders.camera', 'decoders.ftm',
        'motion.read', 'motion.think', 'motion.say'}),
    (('camera', 'imu'), {
        'encoders.camera', 'encoders.imu', 'decoders.camera', 'decoders.imu',
        'motion.read', 'motion.think', 'motion.say',
        'stride.read', 'stride.say', 'stride.unknown'}),
])
def test_an_update_holds_the_trained_tensors_and_no_other_tensor_changed(
    shape: WindowSettings, walk: Walk, modalities: tuple[str, ...], trained: set[str],
) -> None:
    area = area_with(*modalities)
    trainer = trainer_of(shape, area)
    trainer.memory.observe(walk(area, 64), area, shape)
    before = read_weights(trainer.twin)
    trainer.train(3)
    update = trainer.update()
    assert networks(update) == trained
    absent = set(MODEL.modalities) - set(modalities)
    assert not {name for name in update if absent & set(name.split('.'))}
    for name, values in read_weights(trainer.twin).items():
        assert np.array_equal(values, before[name]) == (name not in update), name


def test_an_area_with_a_blind_camera_trains_like_one_without(
    shape: WindowSettings, walk: Walk,
) -> None:
    blind = walk(area_with('ftm', 'imu'), 64)
    trainer = trainer_of(shape)
    trainer.memory.observe(blind, AREA, shape)
    trainer.train(2)
    assert networks(trainer.update()) == {
        'encoders.ftm', 'encoders.imu', 'decoders.ftm', 'decoders.imu', 'stride.unknown'}


def test_one_term_alone_trains_only_its_networks(shape: WindowSettings, walk: Walk) -> None:
    trainer = trainer_of(shape, terms=('transfer',))
    trainer.memory.observe(walk(AREA, 64), AREA, shape)
    trainer.train(2)
    others = ('fusor', 'motion', 'stride')
    assert not [name for name in trainer.update() if name.startswith(others)]


def test_loading_begins_a_new_update(shape: WindowSettings, walk: Walk) -> None:
    trainer = trainer_of(shape)
    trainer.memory.observe(walk(AREA, 64), AREA, shape)
    trainer.train(1)
    trainer.load(read_weights(trainer.twin))
    assert trainer.update() == {}


def test_weights_that_do_not_fit_are_refused(shape: WindowSettings) -> None:
    with pytest.raises(ModelError, match='missing tensor'):
        trainer_of(shape).load({})


def test_equal_seeds_train_equal_weights(shape: WindowSettings, walk: Walk) -> None:
    windows, trained = walk(AREA, 64), []
    for _ in range(2):
        torch.manual_seed(1)
        trainer = trainer_of(shape, seed=5)
        trainer.memory.observe(windows, AREA, shape)
        trainer.train(3)
        trained.append(read_weights(trainer.twin))
    assert all(np.array_equal(trained[0][name], trained[1][name]) for name in trained[0])


def test_a_window_with_nan_changes_no_weight(shape: WindowSettings, walk: Walk) -> None:
    windows = walk(AREA, 1)
    windows.values['imu'][:, 3] = np.nan
    trainer = trainer_of(shape)
    trainer.memory.observe(windows, AREA, shape)
    before = read_weights(trainer.twin)
    assert isnan(trainer.train(2))
    assert (trainer.steps, trainer.steps_skipped) == (0, 2)
    assert all(np.array_equal(values, before[name])
               for name, values in read_weights(trainer.twin).items())
    trainer.memory.observe(walk(AREA, 2000), AREA, shape)
    assert np.isfinite(trainer.train(5))


def test_without_windows_nothing_is_trained_or_evaluated(shape: WindowSettings) -> None:
    trainer = trainer_of(shape)
    assert isnan(trainer.train(3))
    assert trainer.evaluate() == Evaluation()
    assert trainer.update() == {}

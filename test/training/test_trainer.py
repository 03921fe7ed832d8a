"""Training of one area."""

from collections.abc import Callable
from math import isnan

import numpy as np
import pytest
import torch

from utt_ros.errors import ModelError
from utt_ros.geometry.compass import rotate
from utt_ros.models.modalities import modality
from utt_ros.models.operations import operations
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import read_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training import losses
from utt_ros.training.augmentation import in_heading_frame
from utt_ros.training.losses import Objective
from utt_ros.training.settings import LearningSettings
from utt_ros.training.trainer import LocalTrainer
from utt_ros.types import Windows

Walk = Callable[..., Windows]
MODEL = ModelSettings(width=16, heads=2, feedforward=16)
AREA = AreaSettings(magnetic_yaw=0.5)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def trainer_of(
    shape: WindowSettings, area: AreaSettings = AREA, model: ModelSettings = MODEL,
    **learning: object,
) -> LocalTrainer:
    return LocalTrainer(model, shape, area, LearningSettings(batch=32, **learning))  # type: ignore[arg-type]


def area_with(*modalities: str) -> AreaSettings:
    return AreaSettings(modalities=modalities)


def networks(names: set[str] | dict) -> set[str]:
    return {'.'.join(name.split('.')[:2]) for name in names}


def test_training_makes_the_errors_on_held_out_windows_small(
    shape: WindowSettings, walk: Walk,
) -> None:
    trainer = trainer_of(shape)
    trainer.observe(walk(AREA, 400))
    trainer.observe(walk(AREA, 100, first_s=110.0))
    assert (len(trainer.kept), len(trainer.held_out)) == (400, 100)
    before = trainer.evaluate()
    assert set(before) == {item.name for item in operations(MODEL.modalities)}
    first = trainer.train(10)
    for _ in range(9):
        last = trainer.train(10)
    after = trainer.evaluate()
    assert last < 0.8 * first
    assert trainer.steps == 100
    assert after['transfer:camera->ftm'] < min(0.7, before['transfer:camera->ftm'])
    assert after['merge:ftm+imu->camera'] < 0.5 * before['merge:ftm+imu->camera']


def test_velocity_learned_in_one_area_holds_in_another_without_a_camera(
    shape: WindowSettings, walk: Walk,
) -> None:
    trainer = trainer_of(shape, terms=('motion',))
    trainer.observe(walk(AREA, 600))
    trainer.train(200)
    seen = AreaSettings(magnetic_yaw=-2.0)
    there = trainer_of(shape, seen)
    there.observe(walk(seen, 200))
    examples = there.kept.all()
    none = np.zeros(200, bool)
    targets = in_heading_frame(
        examples, examples['heading_valid'], examples['course'], none, examples['gait'])
    with torch.no_grad():
        said = trainer.twin.motion(torch.from_numpy(targets.context)).velocity
    velocity = rotate(said.numpy(), examples['heading'])
    error = np.linalg.norm(velocity - examples['velocity'], axis=1)
    speed = np.linalg.norm(examples['velocity'], axis=1)
    assert error.mean() < 0.35 * speed.mean()
    assert np.corrcoef(np.linalg.norm(velocity, axis=1), speed)[0, 1] > 0.8


def test_who_walks_faster_is_learned_to_swing_more(shape: WindowSettings, walk: Walk) -> None:
    trainer = trainer_of(shape, terms=('motion',))
    trainer.observe(walk(AREA, 400))
    trainer.train(100)
    with torch.no_grad():
        swing = trainer.twin.stride(torch.ones(2), torch.tensor([[0.6, 0.0], [0.0, 1.5]]))
    bounce = swing.log_rms[:, 2, 1].exp().numpy()  # up, with each step
    assert bounce == pytest.approx(2.0 * np.array([0.6, 1.5]) / np.sqrt(2), rel=0.3)
    assert swing.cadence.numpy() == pytest.approx([2.0, 2.0], abs=0.15)


def test_what_translates_is_learned_alike_with_and_without_a_stride(
    shape: WindowSettings, walk: Walk,
) -> None:
    windows, learned = walk(AREA, 64), []
    for blank in (False, True):
        torch.manual_seed(1)
        trainer = trainer_of(shape)
        trainer.observe(windows)
        trainer.kept.all()['swing_valid'][:] &= not blank
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
def test_an_update_holds_what_the_area_could_train_and_nothing_else_changed(
    shape: WindowSettings, walk: Walk, modalities: tuple[str, ...], trained: set[str],
) -> None:
    area = area_with(*modalities)
    trainer = trainer_of(shape, area)
    trainer.observe(walk(area, 64))
    before = read_weights(trainer.twin)
    trainer.train(3)
    update = trainer.update()
    assert networks(update) == trained
    absent = set(MODEL.modalities) - set(modalities)
    assert not {name for name in update if absent & set(name.split('.'))}
    for name, values in read_weights(trainer.twin).items():
        assert np.array_equal(values, before[name]) == (name not in update), name


def test_an_area_whose_camera_shows_nothing_trains_like_one_without(
    shape: WindowSettings, walk: Walk,
) -> None:
    blind = walk(area_with('ftm', 'imu'), 64)
    trainer = trainer_of(shape)
    trainer.observe(blind)
    trainer.train(2)
    assert networks(trainer.update()) == {
        'encoders.ftm', 'encoders.imu', 'decoders.ftm', 'decoders.imu', 'stride.unknown'}


def test_one_term_alone_trains_only_its_networks(shape: WindowSettings, walk: Walk) -> None:
    trainer = trainer_of(shape, terms=('transfer',))
    trainer.observe(walk(AREA, 64))
    trainer.train(2)
    others = ('fusor', 'motion', 'stride')
    assert not [name for name in trainer.update() if name.startswith(others)]


def test_loading_begins_a_new_update(shape: WindowSettings, walk: Walk) -> None:
    trainer = trainer_of(shape)
    trainer.observe(walk(AREA, 64))
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
        trainer.observe(windows)
        trainer.train(3)
        trained.append(read_weights(trainer.twin))
    assert all(np.array_equal(trained[0][name], trained[1][name]) for name in trained[0])


def test_a_broken_window_spoils_no_weight(shape: WindowSettings, walk: Walk) -> None:
    windows = walk(AREA, 1)
    windows.values['imu'][:, 3] = np.nan
    trainer = trainer_of(shape)
    trainer.observe(windows)
    before = read_weights(trainer.twin)
    assert isnan(trainer.train(2))
    assert (trainer.steps, trainer.steps_skipped) == (0, 2)
    assert all(np.array_equal(values, before[name])
               for name, values in read_weights(trainer.twin).items())
    trainer.observe(walk(AREA, 2000))
    assert np.isfinite(trainer.train(5))


def test_without_windows_nothing_is_trained_or_judged(shape: WindowSettings) -> None:
    trainer = trainer_of(shape)
    assert isnan(trainer.train(3))
    assert trainer.evaluate() == {}
    assert trainer.update() == {}


def test_windows_without_a_measurement_before_now_are_not_kept(
    shape: WindowSettings, walk: Walk,
) -> None:
    windows = walk(AREA, 2)
    for name, mask in windows.masks.items():
        per_tick = shape.imu_rows if name == 'imu' else 1
        mask[1, : shape.ticks * per_tick] = False
    trainer = trainer_of(shape)
    trainer.observe(windows)
    assert len(trainer.kept) == 1


def test_the_batched_loss_and_its_gradients_equal_those_of_the_sum_over_operations(
    shape: WindowSettings, walk: Walk, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator,
) -> None:
    monkeypatch.setattr(losses, 'BLACKOUT', {})
    monkeypatch.setattr(losses, 'DISTORTIONS', {})
    monkeypatch.setattr(losses, 'MIRRORED', 0.0)
    monkeypatch.setattr(losses, 'THINNED', 0.0)
    windows = walk(AREA, 12)
    windows.masks['camera'][:4] = False
    windows.masks['imu'][4:6] = False
    trainer = trainer_of(shape)
    trainer.observe(windows)
    batch, twin = trainer.kept.all(), trainer.twin
    loss = Objective(twin, MODEL.modalities, ('transfer', 'merge', 'split'))(batch, rng)
    errors = []
    for operation in operations(MODEL.modalities):
        use = np.array([name in operation.sources for name in MODEL.modalities])
        there = np.all([batch[f'{name}_mask'].any(1) for name in operation.sources], axis=0)
        tensors = {key: torch.from_numpy(values[there]) for key, values in batch.items()}
        features, _ = twin.encode(
            {name: tensors[name] for name in operation.sources},
            {name: tensors[f'{name}_mask'] for name in operation.sources})
        fused = twin.fuse(features, torch.from_numpy(np.tile(use, (there.sum(), 1))))
        for target in operation.targets:
            error = (twin.decode(target, fused) - tensors[target])[tensors[f'{target}_mask']]
            errors.append((error / torch.tensor(modality(target).scale)).square().mean())
    expected = torch.stack(errors).sum()
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=0)
    read = {name: weight for name, weight in twin.named_parameters()
            if not name.startswith(('motion', 'stride'))}
    found, wanted = (dict(zip(read, torch.autograd.grad(total, list(read.values())), strict=True))
                     for total in (loss, expected))
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-5)

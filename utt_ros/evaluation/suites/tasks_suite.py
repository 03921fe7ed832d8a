"""Downstream tasks of the live twin, and the floors that it must beat."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import inf

import numpy as np
import numpy.typing as npt

from utt_ros.evaluation.baselines.registry import SOURCES, Floor, floors
from utt_ros.evaluation.engine_replay import follow
from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.evaluation.metrics import activity, synthesized_imu
from utt_ros.evaluation.outages import blind, blind_walk
from utt_ros.evaluation.results import Outcome, Row, Unit
from utt_ros.evaluation.suites.task_rows import (
    Followed,
    Label,
    Tracker,
    blind_rows,
    follow_all,
    imu_rows,
    made_paths,
    made_positions,
    outage_rows,
    path_rows,
    position_rows,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.training.recordings import Data, Recording
from utt_ros.types import FloatArray, MaskArray

SUITE = 'tasks'
OUTAGES_S = (5.0, 15.0, 30.0)
GO_ON = ('bearing_range', 'kalman_camera', 'kalman_range', 'particles')  # without a camera
PREDICT = ('kalman_camera', 'kalman_range', 'constant_velocity_truth')
MARKS = ('constant_velocity_truth',)  # know the truth: no method
TWIN = 'camera+ftm+imu'
IMU_SOURCES = 'camera+ftm'


def units(study: Study) -> list[Unit]:
    """By method, task and seed; floors do not depend on seeds.

    The first task of a seed trains its model; what would wait for that comes last.
    """
    def of_twins(part: str, task: Callable[[Study, int], Outcome]) -> list[Unit]:
        return [Unit(f'{SUITE}-{part}-utt-seed{seed}', partial(task, study, seed))
                for seed in study.seeds]

    of_floors = [Unit(f'{SUITE}-{name}', partial(_floor, study, name)) for name in SOURCES]
    return [*of_twins('follow', _twin_follows), *of_floors,
            Unit(f'{SUITE}-imu-floors', partial(_imu_floors, study)),
            *of_twins('outages', _twin_outages), *of_twins('imu', _twin_imu)]


def twin_tracker(twin: UnifiedTwin, window: WindowSettings) -> Tracker:
    """The engine that runs live, with this model."""
    graph = export_onnx(twin)

    def track(recording: Recording, walks: Sequence[Walk], off: MaskArray) -> list[Track]:
        return follow(recording.area, window, graph, blind(recording.batches, off), walks)
    return track


def floor_tracker(floor: Floor) -> Tracker:
    """A floor, walk by walk."""
    def track(recording: Recording, walks: Sequence[Walk], off: MaskArray) -> list[Track]:
        return [floor(recording.area, blind_walk(walk, off)) for walk in walks]
    return track


def _twin(study: Study, seed: int) -> tuple[Tracker, Label]:
    twin = study.deployed(seed)
    return twin_tracker(twin, study.data.shape), Label('utt', TWIN, twin.settings.fusor, seed)


def _twin_follows(study: Study, seed: int) -> Outcome:
    """Positions, intervals and paths."""
    tracker, label = _twin(study, seed)
    window = study.data.shape
    found = list(follow_all(study.data, study.split, tracker))
    if not found:
        return Outcome(())
    others = list(follow_all(study.data, _other(study), tracker))
    rows = [*position_rows(found, label), *path_rows(found, others, label, window)]
    made = (made_positions(found, label, _mean_position(study.data)),
            made_paths(found, label, window))
    return Outcome(tuple(rows), made)


def _twin_outages(study: Study, seed: int) -> Outcome:
    return _outages(study, *_twin(study, seed))


def _twin_imu(study: Study, seed: int) -> Outcome:
    """What phones would feel, made from camera and ranges, and what it is good to learn from."""
    tracker, whole = _twin(study, seed)
    found, training = (list(follow_all(study.data, split, tracker))
                       for split in (study.split, 'train'))
    if not found or not training:
        return Outcome(())
    rows: list[Row] = []
    for method, part in ((whole.method, 'imu'), (f'{whole.method}_mean', 'imu_mean')):
        label = Label(method, IMU_SOURCES, whole.fusor, seed)
        synthesized, learned = (
            [_imu(each, part) for each in walks] for walks in (found, training))
        rows += imu_rows(found, synthesized, label, study.data.shape)
        rows += _activity(study, found, training, learned, label)
    return Outcome(tuple(rows))


def _floor(study: Study, name: str) -> Outcome:
    window = study.data.shape
    tracker = floor_tracker(floors(window)[name])
    label = Label(name, SOURCES[name], 'none', study.seeds[0])
    found = list(follow_all(study.data, study.split, tracker))
    if not found:
        return Outcome(())
    rows = [] if name in MARKS else position_rows(found, label)
    if name in PREDICT:
        others = list(follow_all(study.data, _other(study), tracker))
        rows += path_rows(found, others, label, window)
    if name in GO_ON:
        rows += _outages(study, tracker, label).rows
    return Outcome(tuple(rows))


def _outages(study: Study, tracker: Tracker, label: Label) -> Outcome:
    rows: list[Row] = []
    for length_s in OUTAGES_S:
        found = list(follow_all(study.data, study.split, tracker, length_s))
        rows += outage_rows(found, label, length_s) if found else []
    found = list(follow_all(study.data, study.split, tracker, inf))
    return Outcome((*rows, *(blind_rows(found, label) if found else [])))


def _imu_floors(study: Study) -> Outcome:
    """The mean, the differentiated path and, to learn from, the real IMU."""
    window = study.data.shape
    tracker = floor_tracker(floors(window)['kalman_camera'])
    found, training = (list(follow_all(study.data, split, tracker))
                       for split in (study.split, 'train'))
    if not found or not training:
        return Outcome(())
    walks = [each.walk for each in training]
    field = synthesized_imu.fields(walks)
    mean = np.concatenate([walk.imu[walk.imu_mask] for walk in walks]).mean(0)
    rows = []
    for method, sources, make in (
        ('mean', 'none', lambda each: np.broadcast_to(mean, each.walk.imu.shape)),
        ('differentiated', 'camera', lambda each: synthesized_imu.differentiated(
            each.track, each.recording.area, window, field)),
        ('real', 'imu', lambda each: each.walk.imu),
    ):
        label = Label(method, sources, 'none', study.seeds[0])
        if method != 'real':
            rows += imu_rows(found, [make(each) for each in found], label, window)
        rows += _activity(study, found, training, [make(each) for each in training], label)
    return Outcome(tuple(rows))


def _activity(
    study: Study, found: Sequence[Followed], training: Sequence[Followed],
    learned: Sequence[FloatArray], label: Label,
) -> list[Row]:
    """Train on what was made of the train split, test on the real IMU of the other."""
    window = study.data.shape
    train = activity.join([
        activity.examples(each.walk, imu, synthesized_imu.sourced(each.walk, window))
        for each, imu in zip(training, learned, strict=True)])
    test = activity.join([
        activity.examples(each.walk, each.walk.imu, synthesized_imu.sourced(each.walk, window))
        for each in found])
    score = {'balanced_accuracy': activity.balanced_accuracy(train, test)}
    return label.rows('activity', 'walking', score, len(test[1]))


def _imu(followed: Followed, part: str) -> FloatArray:
    imu: FloatArray | None = getattr(followed.track, part)
    return np.full_like(followed.walk.imu, np.nan) if imu is None else imu


def _other(study: Study) -> str:
    """The split that deviations of sampled paths are from."""
    return 'train' if study.split == 'val' else 'val'


def _mean_position(data: Data) -> npt.NDArray[np.float64]:
    truths: Iterable[npt.NDArray[np.float64]] = (
        truth.positions_m for item in data.of('train') for truth in item.session.truth.values())
    mean: npt.NDArray[np.float64] = np.concatenate([np.zeros((0, 2)), *truths]).mean(0)
    return mean

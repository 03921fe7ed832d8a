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

"""The suite of downstream tasks, on one synthetic walk as train, val and test split."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from utt_ros.access_point_list import AccessPoint
from utt_ros.evaluation.results import UnitResult
from utt_ros.evaluation.suites import task_rows
from utt_ros.evaluation.suites.tasks_suite import OUTAGES_S, tasks_units
from utt_ros.evaluation.trained_models import Study
from utt_ros.geometry.camera import CameraModel
from utt_ros.models.model_card import save_model
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.training.recordings import RecordedSequence, Recordings
from utt_ros.types import GroundTruth, Session, SyncedBatch

WINDOW = WindowSettings()
TICKS = 130
SPEED = 1.0


@pytest.fixture
def study(tmp_path: Path) -> Study:
    twin = UnifiedTwin(ModelSettings(width=8, heads=1, feedforward=8), WINDOW)
    model = tmp_path / 'model.safetensors'
    save_model(model, twin, 'made up', {}, {})
    area = AreaSettings('a')
    recordings = tuple(recording(area, split) for split in ('train', 'val', 'test'))
    return Study(Recordings(recordings, WINDOW, 'made up'), tmp_path, given=model)


def recording(area: AreaSettings, split: str) -> RecordedSequence:
    """Exact measurements of a subject who crosses the view at a constant speed."""
    stamps = (np.arange(TICKS + 60, dtype=np.int64) + 1) * 100_000_000
    positions = np.stack([np.full(len(stamps), 8.0), SPEED * stamps / 1e9 - 7.0], axis=1)
    truth = GroundTruth(stamps, positions, np.full(len(stamps), np.pi / 2))
    boxes = CameraModel(area).project(positions).astype(np.float32)
    ranges = np.hypot(np.linalg.norm(positions, axis=1), 1.3)
    imu = np.zeros((1, 5, 9), np.float32)
    imu[..., 2], imu[..., 7] = 9.8, 2.5e-5
    batches = tuple(SyncedBatch(
        int(stamps[tick]), 0, tick, True, ('p',), ('t',), np.ones(1, np.float32),
        boxes[tick:tick + 1], np.ones(1, bool), np.array([[ranges[tick], 0.5]], np.float32),
        np.zeros(1, np.float32), np.ones(1, bool), imu, np.ones((1, 5), bool))
        for tick in range(TICKS))
    session = Session('a', split, split, None, {}, {'p': truth})
    return RecordedSequence(area, split, split, batches, session)


def run(study: Study, key: str) -> UnitResult:
    return {unit.key: unit for unit in tasks_units(study)}[key].run()


def values(outcome: UnitResult) -> dict[tuple[str, str, str], float]:
    return {(row.operation, row.target, row.metric): row.value for row in outcome.rows}


def test_units_have_unique_names_that_are_valid_file_names(study: Study) -> None:
    keys = [unit.key for unit in tasks_units(study)]
    assert len(set(keys)) == len(keys)
    assert all(key.replace('-', '').replace('_', '').isalnum() for key in keys)


def test_twin_is_evaluated_and_its_predictions_are_kept(study: Study) -> None:
    outcome = run(study, 'tasks-follow-utt-seed0')
    found = values(outcome)
    assert found['position', 'camera', 'median_m'] < 0.2
    assert 0.0 <= found['interval', 'camera', 'coverage_90'] <= 1.0
    assert found['trajectory', '5s', 'ade_m'] > found['trajectory', '1s', 'ade_m']
    assert found['trajectory', '3s', 'min_ade_20_m'] <= found['trajectory', '3s', 'ade_m']
    assert {row.method for row in outcome.rows} == {'utt'}
    positions, paths = outcome.predictions
    assert positions.prediction.shape == (TICKS, 1, 2)
    assert positions.mask.shape == positions.target.shape
    assert positions.std is not None
    error = np.linalg.norm(positions.prediction - positions.target, axis=2)
    assert np.median(error) == pytest.approx(
        found['position', 'camera', 'median_m'], abs=1e-4)
    assert paths.prediction.shape == (TICKS, WINDOW.horizon, 2)
    assert set(paths.sequence) == {'a/test'}


def test_baseline_predicts_and_estimates_without_its_camera(study: Study) -> None:
    outcome = run(study, 'tasks-kalman_camera')
    found = values(outcome)
    assert found['trajectory', '1s', 'ade_m'] < 0.3  # at a constant pace
    assert found['position', 'camera', 'median_m'] < 0.05
    assert f'outage_{OUTAGES_S[0]:g}s' in {row.target for row in outcome.rows}
    assert not [row for row in outcome.rows if row.target == 'camera_off']  # never sees anybody


def test_twin_is_evaluated_with_the_first_one_and_with_all_access_points(
        study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_rows, 'SETTLED_S', 5.0)
    assert not run(study, 'tasks-aps-utt-seed0').rows  # of areas with one
    area = AreaSettings('a', access_points=(
        AccessPoint('first', (0.0, 0.0, 2.5)), AccessPoint('second', (12.0, 5.0, 2.5))))
    recordings = tuple(replace(item, area=area) for item in study.data.recordings)
    several = replace(study, data=replace(study.data, recordings=recordings))
    targets = {row.target for row in run(several, 'tasks-aps-utt-seed0').rows}
    assert targets == {'camera_off_1_aps', 'camera_off_2_aps'}


@pytest.fixture
def surveyed_study(tmp_path: Path) -> Study:
    """Two areas of two access points, the second of which ranges 4 m too far; one camera."""
    save_model(tmp_path / 'model.safetensors', UnifiedTwin(
        ModelSettings(width=8, heads=1, feedforward=8), WINDOW), 'made up', {}, {})
    recordings = []
    plans = plan_sessions(2, 1.5, 3, ['area1'], access_points=2)
    for plan, split in zip(plans, 2 * ('train', 'train', 'test'), strict=True):
        plan = replace(plan, area=replace(plan.area, ap_offsets_m=(0.0, 4.0)))
        area, session = plan.area.settings, simulate_session(plan)
        batches = synchronize(session, modalities=area.modalities, windows=WINDOW,
                              access_points=area.ap_addresses)
        recordings.append(RecordedSequence(
            area, session.name, split, tuple(islice(batches, 90 if split == 'test' else 0)),
            session))
    return Study(Recordings(tuple(recordings), WINDOW, 'made up'), tmp_path,
                 given=tmp_path / 'model.safetensors')


def test_offsets_of_walks_that_the_camera_saw_in_training_make_positions_better(
        surveyed_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_rows, 'SETTLED_S', 5.0)
    both, first = (values(run(of_areas(surveyed_study, *names), 'tasks-aps-utt-seed0'))
                   for names in (('area0', 'area1'), ('area0',)))
    assert {target for _, target, _ in both} == {target for _, target, _ in first} == {
        f'camera_off_{count}_aps{offsets}' for count in (1, 2) for offsets in ('', '_surveyed')}
    plain, surveyed = (first['position', f'camera_off_2_aps{offsets}', 'median_m']
                       for offsets in ('', '_surveyed'))
    assert surveyed < plain - 1.0
    changed = {row[1] for row in first if both[row] != first[row]}
    assert changed == {'camera_off_1_aps', 'camera_off_2_aps'}, (
        'an area where no camera saw walks is in no surveyed row')


def of_areas(study: Study, *names: str) -> Study:
    """Return the study with the recordings of some areas."""
    return replace(study, data=replace(study.data, recordings=tuple(
        item for item in study.data.recordings if item.area.area in names)))


def test_metrics_that_the_imu_baselines_cannot_have_are_nan(study: Study) -> None:
    found = values(run(study, 'tasks-imu-floors'))
    assert np.isnan(found['activity', 'walking', 'balanced_accuracy'])  # nobody stands
    assert found['imu', 'imu', 'rmse_accel_z_mps2'] < 0.1


def test_published_imu_is_evaluated_beside_its_mean(study: Study) -> None:
    outcome = run(study, 'tasks-imu-utt-seed0')
    rmse = {row.method: row.value for row in outcome.rows if row.metric == 'rmse_accel_z_mps2'}
    faint = 0.3 * np.sqrt(5)  # four harmonics and a rest of an untrained head
    assert rmse['utt'] == pytest.approx(np.hypot(rmse['utt_mean'], faint), rel=0.1)

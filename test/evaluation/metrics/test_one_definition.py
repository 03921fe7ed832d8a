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

"""Every consumer of a metric calls its one definition: replace it, and every result changes.

Demo, `utt evaluate` and `utt bench association` are run on the same simulated session.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from utt_ros.demo.live_scores import _owner
from utt_ros.demo.position_scores import PublishedPositions, score_positions, summarize_scores
from utt_ros.evaluation import ground_truth
from utt_ros.evaluation.association.live_replay import association_table, replay_live
from utt_ros.evaluation.baselines.vifit import required_frames
from utt_ros.evaluation.ground_truth import TrackEstimate, subject_trajectories
from utt_ros.evaluation.metrics import box_iou, position
from utt_ros.evaluation.metrics.translation import _in_units
from utt_ros.evaluation.suites.task_rows import TaskLabel, TrackedWalk, position_rows
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.training.recordings import RecordedSequence
from utt_ros.types import GroundTruth

WINDOW = WindowSettings()
FAR_M = 1000.0


@pytest.fixture(scope='module')
def recording() -> RecordedSequence:
    planned = plan_sessions(1, 1.0, seed=24)[0]
    session = simulate_session(planned)
    batches = tuple(synchronize(session, windows=WINDOW))[:300]
    return RecordedSequence(planned.area.settings, planned.name, 'test', batches, session)


def demo_result(recording: RecordedSequence) -> Any:
    """Summary of the demo, of a perfect twin."""
    name, truth = next(iter(recording.session.truth.items()))
    count = len(truth.stamps_ns)
    perfect = PublishedPositions(
        np.array([name] * count), truth.stamps_ns, truth.positions_m,
        np.broadcast_to(np.eye(2), (count, 2, 2)), truth.stamps_ns)
    return summarize_scores(score_positions(perfect, recording.session, use_camera=True))


def evaluate_result(recording: RecordedSequence) -> Any:
    """Rows of the tasks suite, of a perfect twin."""
    walk = subject_trajectories(recording.batches, recording.session.truth)[0]
    ticks = len(walk.stamps_ns)
    track = TrackEstimate(walk.truth_m().astype(np.float32), np.tile(np.eye(2, dtype=np.float32),
                                                             (ticks, 1, 1)))
    followed = TrackedWalk(recording, walk, track, np.zeros(ticks, bool))
    rows = position_rows([followed], TaskLabel('perfect', 'truth', 'none', 0))
    return {(row.operation, row.target, row.metric): row.value for row in rows}


def bench_result(recording: RecordedSequence) -> Any:
    """Row of `utt bench association`, without its times."""
    found = replay_live(recording, WINDOW, 'labels', None)
    return association_table({'labels': (found, found)}).splitlines()[2].split('|')[:-2]


RESULTS: dict[str, Callable[[RecordedSequence], Any]] = {
    'demo': demo_result, 'evaluate': evaluate_result, 'bench association': bench_result}


@pytest.fixture(scope='module')
def unchanged(recording: RecordedSequence) -> dict[str, Any]:
    return {name: result(recording) for name, result in RESULTS.items()}


def far_truth(truth: GroundTruth, stamps_ns: np.ndarray) -> np.ndarray:
    return np.full((len(stamps_ns), 2), FAR_M)


def far_errors(truth: GroundTruth, stamps_ns: np.ndarray, positions_m: np.ndarray) -> np.ndarray:
    return np.full(len(stamps_ns), FAR_M)


def other_quantiles(errors_m: np.ndarray) -> dict[str, float]:
    return {'mean_m': 7.0, 'median_m': 8.0, 'p90_m': 9.0}


@pytest.mark.parametrize('consumer', RESULTS)
@pytest.mark.parametrize(('module', 'name', 'other'), [
    (ground_truth, 'truth_at', far_truth), (position, 'position_errors', far_errors),
    (position, 'error_quantiles', other_quantiles)])
def test_position_metrics_of_each_consumer_follow_their_definition(
    recording: RecordedSequence, unchanged: dict[str, Any], monkeypatch: pytest.MonkeyPatch,
    consumer: str, module: Any, name: str, other: Callable[..., Any],
) -> None:
    if consumer == 'evaluate' and name == 'truth_at':  # its perfect twin follows the truth
        walk = subject_trajectories(recording.batches, recording.session.truth)[0]
        monkeypatch.setattr(module, name, other)
        assert (walk.truth_m() == FAR_M).all()
        return
    monkeypatch.setattr(module, name, other)
    assert RESULTS[consumer](recording) != unchanged[consumer]


@pytest.mark.parametrize('consumer', ['demo', 'evaluate'])
@pytest.mark.parametrize(('module', 'name', 'other'), [
    (position, 'camera_conditions', lambda age_s: dict.fromkeys(
        ('camera', 'camera_gone', 'camera_never', 'no_camera'), age_s < 0.05)),
    (position, 'inside_90', lambda square: square < 0.0),
    (ground_truth, 'seconds_since', lambda stamps_ns, _: np.full(len(stamps_ns), np.inf))])
def test_camera_conditions_and_coverage_follow_their_definition(
    recording: RecordedSequence, unchanged: dict[str, Any], monkeypatch: pytest.MonkeyPatch,
    consumer: str, module: Any, name: str, other: Callable[..., Any],
) -> None:
    monkeypatch.setattr(module, name, other)
    assert RESULTS[consumer](recording) != unchanged[consumer]


def test_demo_and_evaluate_agree_on_the_same_positions(recording: RecordedSequence) -> None:
    demo, evaluate = demo_result(recording), evaluate_result(recording)
    assert demo['camera']['covered_90'] == evaluate['interval', 'camera', 'coverage_90'] == 1.0
    assert demo['camera']['median'] == pytest.approx(
        evaluate['position', 'camera', 'median_m'], abs=1e-6)


def test_overlap_of_boxes_follows_its_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    box = np.array([[640.0, 360.0, 5.0, 40.0, 100.0]], np.float32)
    chain = [{'true': box[None], 'first': np.zeros((1, 1, 6), np.float32)}] * 2

    def results() -> tuple[Any, ...]:
        return (_owner(box[0], {'a': box[0]}),
                _in_units(box[None], box[None], np.ones((1, 1), bool), 'camera')['iou'],
                required_frames(lambda rows: rows['true'], chain)[1])
    before = results()
    assert before == ('a', 1.0, 1)
    monkeypatch.setattr(
        box_iou, 'box_iou', lambda predicted, true: np.zeros(np.shape(predicted)[:-1]))
    assert all(new != old for new, old in zip(results(), before, strict=True))


def test_definitions_stand_in_one_module_each() -> None:
    root = Path(ground_truth.__file__).parents[1]
    sources = {path: path.read_text('utf-8') for path in root.rglob('*.py')}
    for text, module in (('np.interp(stamps_ns', 'ground_truth.py'),
                         ('<= CHI2_90_2D', 'position.py'), ('CAMERA_GONE_S = ', 'position.py')):
        assert [path.name for path, source in sources.items() if text in source] == [module]

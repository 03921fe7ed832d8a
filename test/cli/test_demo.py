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

"""Command line of `utt demo`, with the run of the nodes replaced."""

import argparse
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.cli import demo, import_
from utt_ros.cli.main import main
from utt_ros.demo import model_scores
from utt_ros.demo.position_scores import PublishedPositions
from utt_ros.demo.replay_stage import ReplayRun
from utt_ros.demo.scenes import DemoArea
from utt_ros.federation.checkpoints import Checkpoint, CheckpointStore
from utt_ros.federation.types import RoundStatus
from utt_ros.federation.wire import pack
from utt_ros.sessions.bag_io import open_bag
from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.session_bags import read_session
from utt_ros.task_twins.operation_request import OperationRequest
from utt_ros.types import NS_PER_S

POSE, CLOCK = 'geometry_msgs/msg/PoseWithCovarianceStamped', 'rosgraph_msgs/msg/Clock'
HOST_NS = 1_900_000_000 * NS_PER_S  # the host's clock at the start of a replay
LATE_NS = 5_000_000
ERROR_M = 0.5  # of the published positions


def utt_demo(out: Path, *words: object) -> int:
    return main(['demo', '--no-view', '--out', str(out), *map(str, words)])


def write_replay(areas: Sequence[DemoArea], record: Path) -> None:
    """Write the bag of a test: clocks and positions of each area."""
    types, kind = typestore(), typestore().types

    def time(stamp_ns: int) -> Any:
        return kind['builtin_interfaces/msg/Time'](
            sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)

    def pose(stamp_ns: int, place: Any) -> Any:
        inner = kind['geometry_msgs/msg/Pose'](
            position=kind['geometry_msgs/msg/Point'](x=place[0] + ERROR_M, y=place[1], z=0.0),
            orientation=kind['geometry_msgs/msg/Quaternion'](x=0.0, y=0.0, z=0.0, w=1.0))
        return kind[POSE](
            header=kind['std_msgs/msg/Header'](stamp=time(stamp_ns), frame_id=''),
            pose=kind['geometry_msgs/msg/PoseWithCovariance'](
                pose=inner, covariance=np.eye(6).ravel()))

    with Writer(record, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for area in areas:
            clock = writer.add_connection(f'/{area.name}/clock', CLOCK, typestore=types)
            bag, = area.replayed
            with open_bag(bag) as recorded:
                start_ns, end_ns = recorded.start_ns, recorded.end_ns
            for now_ns in (start_ns, end_ns):
                writer.write(clock, HOST_NS + now_ns - start_ns, types.serialize_cdr(
                    kind[CLOCK](clock=time(now_ns)), CLOCK))
            for subject, truth in read_session(bag).truth.items():
                topic = writer.add_connection(
                    f'/{area.name}/twins/{subject}/position', POSE, typestore=types)
                rows = (truth.stamps_ns > start_ns) & (truth.stamps_ns < end_ns)
                for stamp_ns, place in zip(
                        truth.stamps_ns[rows].tolist(), truth.positions_m[rows], strict=True):
                    writer.write(topic, HOST_NS + stamp_ns - start_ns + LATE_NS,
                                 types.serialize_cdr(pose(stamp_ns, place), POSE))


class Replays:
    """Writes the files of the nodes instead of running them, and keeps the settings of runs."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.runs: list[ReplayRun] = []
        self.polls: list[bool] = []

    def __call__(
        self, areas: Sequence[DemoArea], replay_run: ReplayRun, watch: Callable[[], bool],
    ) -> None:
        self.runs.append(replay_run)
        self.polls.append(watch())
        if replay_run.learn:
            self._train([area.name for area in areas], replay_run.folder / 'state/aggregator')
            self.polls.append(watch())
        write_replay(areas, replay_run.record)

    def _train(self, areas: Sequence[str], folder: Path) -> None:
        store = CheckpointStore(folder, keep=1)
        tensors = {'weight': np.zeros(2, np.float32)}
        for number in range(self.rounds):
            store.log(RoundStatus(
                'f', number, 'completed', len(areas), 60.0, dict.fromkeys(areas, 30), {},
                1000, 500, 2.0))
        for number in (0, self.rounds):
            store.save(Checkpoint('f', number, '{}', tensors), pack(tensors).checksum)
        store.close()


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> Replays:
    """Replace the nodes, and the computations with a model, which test_held_out tests."""

    def nmse(models: Sequence[Checkpoint], area: DemoArea) -> list[dict[str, float]]:
        return [{'transfer:ftm->imu': 1.0 - model.round / 10} for model in models]

    def untrained(initial: Checkpoint, area: DemoArea) -> list[PublishedPositions]:
        assert initial.round == 0
        none = np.zeros(0, np.int64)
        return [PublishedPositions(
            np.zeros(0, np.str_), none, np.zeros((0, 2)), np.zeros((0, 2, 2)), none)]

    def perform(requests: Sequence[OperationRequest], log: Callable[[str], None]) -> list[Any]:
        assert [request.kind for request in requests] == ['transfer', 'split', 'merge']
        return []

    monkeypatch.setattr(demo, 'perform_operations', perform)
    replays = Replays(rounds=2)
    monkeypatch.setattr(demo, 'run_replay', replays)
    monkeypatch.setattr(model_scores, 'nmse_by_checkpoint', nmse)
    monkeypatch.setattr(model_scores, 'untrained_positions', untrained)
    return replays


def test_summary_table_and_map_of_a_demonstration_are_written(
    sessions: Path, replays: Replays, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / 'out'
    assert utt_demo(out, '--sessions', sessions, '--rounds', 2) == 0
    summary = json.loads((out / 'summary.json').read_bytes())
    assert (summary['rounds'], summary['bytes_per_round']) == (2, 1500)
    assert summary['operations'] == []
    assert 0.0 < summary['first_line_s'] < summary['wall_s']
    assert summary['first_person_s'] > summary['wall_s']  # its clock is HOST_NS
    assert {name: area['modalities'] for name, area in summary['areas'].items()} == {
        'area0': ['camera', 'ftm', 'imu'], 'area1': ['ftm', 'imu']}
    for area in summary['areas'].values():
        assert (area['windows'], area['rounds']) == (30, 2)
        assert area['nmse'] == {'transfer:ftm->imu': {'first': 1.0, 'last': 0.8}}
        assert area['position_error_m']['no_camera']['median'] == pytest.approx(ERROR_M)
        assert area['latency_ms']['p50'] == pytest.approx(LATE_NS / 1e6, abs=0.01)
    assert summary['areas']['area0']['position_error_m']['camera']['n'] > 100
    assert summary['areas']['area1']['position_error_m']['camera'] is None
    assert (out / 'map.png').read_bytes().startswith(b'\x89PNG')
    printed = capsys.readouterr()
    assert 'demo: 2 areas: area0 (camera+ftm+imu), area1 (ftm+imu)' in printed.err
    assert 'rounds 2   bytes per round 1,500' in printed.out
    assert (out / 'demo.gif').read_bytes().startswith(b'GIF')
    assert printed.out.splitlines()[-3:] == [
        str(out / name) for name in ('summary.json', 'demo.gif', 'map.png')]


def test_test_sessions_are_replayed_once_without_training_by_the_last_model(
    sessions: Path, replays: Replays, tmp_path: Path,
) -> None:
    assert utt_demo(tmp_path / 'out', '--sessions', sessions, '--rounds', 2) == 0
    training, test = replays.runs
    assert (training.learn, training.rounds, training.min_round) == (True, 2, 0)
    assert (test.learn, test.rounds, test.min_round) == (False, 2, 2)
    assert training.record != test.record
    assert replays.polls == [False, True, False]  # training ends once its rounds are logged


def test_training_ends_at_its_time_limit_with_fewer_rounds(
    sessions: Path, replays: Replays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo, 'MIN_LIMIT_S', 0.0)
    monkeypatch.setattr(demo, 'SECONDS_PER_ROUND_AND_AREA', 0.0)
    assert utt_demo(tmp_path / 'out', '--sessions', sessions, '--rounds', 9) == 0
    assert replays.polls[0]
    assert replays.runs[1].min_round == 2


def test_demonstration_without_a_completed_round_is_an_error_with_its_logs(
    sessions: Path, replays: Replays, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    replays.rounds = 0
    assert utt_demo(tmp_path / 'out', '--sessions', sessions) == 2
    assert f'no round was completed; logs are in {tmp_path / "out/log"}' in capsys.readouterr().err
    assert not (tmp_path / 'out' / 'summary.json').exists()


def test_only_the_folder_of_an_earlier_demonstration_is_replaced(
    sessions: Path, replays: Replays, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    earlier, other = tmp_path / 'earlier', tmp_path / 'other'
    (earlier / 'areas').mkdir(parents=True)
    (earlier / 'state').touch()
    replays.rounds = 0
    assert utt_demo(earlier, '--sessions', sessions) == 2
    assert 'no round was completed' in capsys.readouterr().err
    assert (earlier / 'state').is_dir()
    other.mkdir()
    (other / 'thesis.tex').touch()
    assert utt_demo(other, '--sessions', sessions) == 2
    assert 'is not the folder of an earlier demonstration' in capsys.readouterr().err
    assert [path.name for path in other.iterdir()] == ['thesis.tex']


@pytest.mark.parametrize(('words', 'error'), [
    (['--rounds', '0'], '--rounds is 0: it must be at least 1'),
    (['--sessions', 'nowhere'], 'nowhere is not a folder'),
    (['--sessions', 'empty'], 'empty: no bag at <area>/<session>/metadata.yaml'),
    (['--sessions', 'vifi'], 'vifi')])
def test_wrong_arguments_are_refused_with_their_value(
    words: list[str], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path('empty').mkdir()
    Path('vifi/seqs').mkdir(parents=True)
    assert utt_demo(tmp_path / 'out', *words) == 2
    assert error in capsys.readouterr().err


@pytest.mark.parametrize('words', [
    ['--rounds', '0'], ['--sessions', 'nowhere'], ['--live', '--seconds', '3'],
    ['--sessions', 'out/sessions'], ['--sessions', 'out']])
def test_refused_arguments_leave_earlier_results_and_the_sessions_in_them(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ('out/areas', 'out/sessions'):
        Path(folder).mkdir(parents=True)
    Path('out/summary.json').touch()
    assert utt_demo(Path('out'), *words) == 2
    assert {path.name for path in Path('out').iterdir()} == {'areas', 'sessions', 'summary.json'}


def test_sessions_are_imported_with_every_option_of_that_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    calls: list[dict[str, Any]] = []

    def run(args: argparse.Namespace) -> int:
        calls.append(vars(args))
        return 0

    monkeypatch.chdir(tmp_path)
    Path('vifi/seqs').mkdir(parents=True)
    parser = argparse.ArgumentParser()
    import_.configure(parser)
    options = vars(parser.parse_args(['vifi', 'vifi', '--out', 'x'])).keys() - {'run'}
    monkeypatch.setattr(import_, 'run', run)
    assert utt_demo(tmp_path / 'out', '--sessions', 'vifi') == 2
    assert calls[0].keys() == options
    assert calls[0]['out'] == tmp_path / 'out' / 'sessions'
    assert 'sessions: no bag at' in capsys.readouterr().err


def test_simulated_people_cross_a_building_whose_floor_plan_the_test_has(
    sessions: Path, replays: Replays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / 'out'
    building = {'people': 4, 'handovers': 9, 'area_changes': 11, 'ids_kept': 1.0,
                'double_counted': 0, 'beliefs_taken': 8, 'access_points': {}}

    def report(areas: Sequence[DemoArea], bag: Path, plan: Path, image: Path) -> dict[str, Any]:
        assert (bag, plan) == (out / 'test', out / 'sessions/plan.yaml')
        assert [area.name for area in areas] == ['area0', 'area1']
        return building

    monkeypatch.setattr(
        demo, 'simulate_building', lambda folder, seed: shutil.copytree(sessions, folder))
    monkeypatch.setattr(demo, 'report_building', report)
    assert utt_demo(out, '--rounds', 2) == 0
    training, test = replays.runs
    assert training.floor_plan is None
    assert test.floor_plan == out / 'sessions/plan.yaml'
    assert json.loads((out / 'summary.json').read_bytes())['building'] == building
    printed = capsys.readouterr().out
    assert 'building: 4 people entered 9 rooms, 11 changes of area' in printed
    assert printed.splitlines()[-1] == str(out / 'building.png')

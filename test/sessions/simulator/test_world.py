from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from utt_ros.cli.main import main
from utt_ros.errors import SettingsError
from utt_ros.sessions.session_bags import find_sessions, read_area, read_session, read_split
from utt_ros.sessions.simulator.world import plan, simulate
from utt_ros.types import Session


def utt_simulate(out: Path, *options: str) -> int:
    return main(['simulate', '--out', str(out), '--minutes', '0.6', '--seed', '3', *options])


def same(left: Session, right: Session) -> bool:
    phone = next(iter(left.phones))
    assert left.frames is not None
    assert right.frames is not None
    return phone in right.phones and all(np.array_equal(a, b, equal_nan=True) for a, b in (
        (left.frames.boxes, right.frames.boxes),
        (left.phones[phone].inertial, right.phones[phone].inertial),
        (left.phones[phone].ftm, right.phones[phone].ftm)))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    assert utt_simulate(tmp_path / 'one', '--areas', '1') == 0
    assert utt_simulate(tmp_path / 'two', '--areas', '1') == 0
    assert utt_simulate(tmp_path / 'other', '--areas', '1', '--seed', '4') == 0
    one, two, other = (
        [path.read_bytes() for path in sorted((tmp_path / name).rglob('*.*'))
         if path.is_file()] for name in ('one', 'two', 'other'))
    assert len(one) == 1 + 3 * 2
    assert one == two
    assert one != other


def test_one_more_area_or_a_missing_camera_changes_nothing_of_the_others() -> None:
    few = plan(1, 0.6, seed=7)
    more = plan(3, 0.6, seed=7, without_camera=['area2'])
    assert same(simulate(few[1]), simulate(more[1]))
    with_camera = simulate(plan(3, 0.6, seed=7)[8])
    without = simulate(more[8])
    assert without.frames is None
    for phone, streams in with_camera.phones.items():
        assert np.array_equal(streams.inertial, without.phones[phone].inertial)


def test_areas_and_sessions_differ() -> None:
    planned = plan(2, 0.6, seed=7)
    sessions = [simulate(item) for item in planned]
    assert not same(sessions[0], sessions[1])
    assert not same(sessions[0], sessions[3])
    yaws = {item.area.settings.magnetic_yaw for item in planned}
    assert len(yaws) == 2


def test_whole_sessions_are_held_out() -> None:
    splits = {minutes: [item.split for item in plan(1, minutes, 0)] for minutes in (0.5, 4, 10)}
    assert splits[0.5] == ['train', 'val', 'test']
    assert splits[4] == ['train', 'train', 'val', 'test']
    assert splits[10] == ['train'] * 6 + ['val'] * 2 + ['test'] * 2
    assert sum(item.seconds for item in plan(1, 7.3, 0)) == pytest.approx(7.3 * 60)


def test_sessions_of_an_area_follow_one_another_in_time() -> None:
    sessions = [simulate(item) for item in plan(1, 0.6, seed=1)]
    for before, after in pairwise(sessions):
        assert before.frames is not None
        assert after.frames is not None
        assert before.frames.stamps_ns[-1] < after.frames.stamps_ns[0]


def test_what_is_written_is_what_was_simulated(tmp_path: Path) -> None:
    assert utt_simulate(tmp_path, '--areas', '2', '--without-camera', 'area1') == 0
    found = find_sessions(tmp_path)
    assert list(found) == ['area0', 'area1']
    assert [read_split(bag) for bag in found['area0']] == ['train', 'val', 'test']
    assert read_area(tmp_path / 'area1').modalities == ('ftm', 'imu')
    planned = plan(2, 0.6, seed=3, without_camera=['area1'])
    assert read_area(tmp_path / 'area0') == planned[0].area.settings
    session, read = simulate(planned[0]), read_session(found['area0'][0])
    assert same(session, read)
    assert read.frames is not None
    assert session.frames is not None
    assert read.frames.subjects == session.frames.subjects
    assert sorted(read.truth) == sorted(session.truth)
    assert read_session(found['area1'][0]).frames is None


def test_every_stream_has_its_rate_and_order() -> None:
    session = simulate(plan(1, 3, seed=5)[0])
    assert 3 <= len(session.phones) <= 6
    assert session.frames is not None
    assert len(session.frames.stamps_ns) == 600
    for name, phone in session.phones.items():
        truth = session.truth[name]
        seconds = (truth.stamps_ns[-1] - truth.stamps_ns[0]) / 1e9
        assert 45 < len(phone.inertial) / seconds < 105
        assert len(phone.magnetic) / seconds == pytest.approx(50, rel=0.05)
        assert 2 < len(phone.ftm) / seconds < 3.2
        for stamps in (phone.inertial_stamps_ns, phone.magnetic_stamps_ns, phone.ftm_stamps_ns,
                       truth.stamps_ns, session.frames.stamps_ns):
            assert (np.diff(stamps) > 0).all()
        assert np.isfinite(phone.inertial).all()
        assert (np.abs(truth.headings_rad) <= np.pi).all()


def test_the_camera_loses_people_for_seconds_again_and_again() -> None:
    session = simulate(plan(1, 3, seed=5)[0])
    frames = session.frames
    assert frames is not None
    stamps = np.repeat(frames.stamps_ns, np.diff(frames.starts))
    gaps = np.concatenate([
        np.diff(stamps[[subject == name for subject in frames.subjects]]) / 1e9
        for name in session.phones])
    assert (gaps > 2).sum() >= 3
    present = sum(len(truth.stamps_ns) for truth in session.truth.values())
    assert 0.35 < len(stamps) / present < 0.9


@pytest.mark.parametrize(('options', 'reason'), [
    ({'areas': 0}, 'areas is 0'),
    ({'minutes': 0.4}, 'at least 0.5'),
    ({'minutes': float('nan')}, 'minutes is nan'),
    ({'minutes': float('inf')}, 'minutes is inf'),
    ({'seed': -1}, 'seed is -1'),
    ({'without_camera': ['area3']}, "'area3', but areas are area0 to area2"),
])
def test_numbers_out_of_their_limits_are_refused(
        options: dict[str, object], reason: str) -> None:
    arguments = {'areas': 3, 'minutes': 4.0, 'seed': 0, **options}
    with pytest.raises(SettingsError, match=reason):
        plan(**arguments)  # type: ignore[arg-type]


def test_sessions_of_two_runs_are_not_mixed(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'something').mkdir()
    assert utt_simulate(tmp_path) == 2
    assert 'is not empty' in capsys.readouterr().err

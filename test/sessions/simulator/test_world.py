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

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from utt_ros.cli.main import main
from utt_ros.errors import SettingsError
from utt_ros.sessions.session_bags import find_sessions, read_area, read_session, read_split
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.types import Session

pytestmark = pytest.mark.slow


def same(left: Session, right: Session) -> bool:
    phone = next(iter(left.phones))
    assert left.frames is not None
    assert right.frames is not None
    return phone in right.phones and all(np.array_equal(a, b, equal_nan=True) for a, b in (
        (left.frames.boxes, right.frames.boxes),
        (left.phones[phone].inertial, right.phones[phone].inertial),
        (left.phones[phone].ftm, right.phones[phone].ftm)))


def test_one_more_area_or_a_missing_camera_does_not_change_the_others() -> None:
    few = plan_sessions(1, 0.6, seed=7)
    more = plan_sessions(3, 0.6, seed=7, without_camera=['area2'])
    assert same(simulate_session(few[1]), simulate_session(more[1]))
    with_camera = simulate_session(plan_sessions(3, 0.6, seed=7)[8])
    without = simulate_session(more[8])
    assert without.frames is None
    for phone, streams in with_camera.phones.items():
        assert np.array_equal(streams.inertial, without.phones[phone].inertial)


def test_further_access_points_change_neither_walks_nor_the_ranges_of_the_first() -> None:
    one, three = (simulate_session(plan_sessions(1, 0.6, seed=7, access_points=count)[1])
                  for count in (1, 3))
    assert one.phones.keys() == three.phones.keys()
    for name, phone in three.phones.items():
        assert np.array_equal(phone.inertial, one.phones[name].inertial)
        aps = np.array(phone.range_aps)
        first = aps == '02:00:00:00:00:00'
        assert np.array_equal(phone.ftm[first], one.phones[name].ftm)
        assert (np.diff(phone.ftm_stamps_ns) >= 0).all()
        for number in (1, 2):
            assert 1.5 < (aps == f'02:00:00:00:0{number}:00').sum() / (
                np.ptp(phone.ftm_stamps_ns) / 1e9) < 3.5
    assert same(one, replace(three, phones=one.phones))


def test_areas_can_have_different_numbers_of_access_points() -> None:
    plans = plan_sessions(2, 0.6, seed=7, access_points=[3, 1])
    assert {len(item.area.settings.ap_positions) for item in plans[:3]} == {3}
    assert same(simulate_session(plans[4]), simulate_session(plan_sessions(2, 0.6, seed=7)[4]))
    with pytest.raises(SettingsError, match='of 3 areas: it must be one number, or 2'):
        plan_sessions(2, 0.6, seed=7, access_points=[3, 1, 2])
    with pytest.raises(SettingsError, match='0 access points: it must be 1 to 8'):
        plan_sessions(2, 0.6, seed=7, access_points=0)


def test_areas_and_sessions_differ() -> None:
    plans = plan_sessions(2, 0.6, seed=7)
    sessions = [simulate_session(item) for item in plans]
    assert not same(sessions[0], sessions[1])
    assert not same(sessions[0], sessions[3])
    yaws = {item.area.settings.magnetic_yaw for item in plans}
    assert len(yaws) == 2


def test_whole_sessions_are_held_out() -> None:
    splits = {minutes: [plan.split for plan in plan_sessions(1, minutes, 0)]
              for minutes in (0.5, 4, 10)}
    assert splits[0.5] == ['train', 'val', 'test']
    assert splits[4] == ['train', 'train', 'val', 'test']
    assert splits[10] == ['train'] * 6 + ['val'] * 2 + ['test'] * 2
    assert sum(item.seconds for item in plan_sessions(1, 7.3, 0)) == pytest.approx(7.3 * 60)


def test_sessions_of_an_area_follow_one_another_in_time() -> None:
    sessions = [simulate_session(item) for item in plan_sessions(1, 0.6, seed=1)]
    for before, after in pairwise(sessions):
        assert before.frames is not None
        assert after.frames is not None
        assert before.frames.stamps_ns[-1] < after.frames.stamps_ns[0]


def test_written_sessions_are_the_simulated_ones(tmp_path: Path) -> None:
    assert main(['simulate', '--out', str(tmp_path), '--minutes', '0.6', '--seed', '3',
                 '--areas', '2', '--without-camera', 'area1']) == 0
    found = find_sessions(tmp_path)
    assert list(found) == ['area0', 'area1']
    assert [read_split(bag) for bag in found['area0']] == ['train', 'val', 'test']
    assert read_area(tmp_path / 'area1').modalities == ('ftm', 'imu')
    plans = plan_sessions(2, 0.6, seed=3, without_camera=['area1'])
    assert read_area(tmp_path / 'area0') == plans[0].area.settings
    session, read = simulate_session(plans[0]), read_session(found['area0'][0])
    assert same(session, read)
    assert read.frames is not None
    assert session.frames is not None
    assert read.frames.subjects == session.frames.subjects
    assert sorted(read.truth) == sorted(session.truth)
    assert read_session(found['area1'][0]).frames is None


def test_every_stream_has_its_rate_and_order() -> None:
    session = simulate_session(plan_sessions(1, 3, seed=5)[0])
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


def test_the_camera_repeatedly_loses_people_for_seconds() -> None:
    session = simulate_session(plan_sessions(1, 3, seed=5)[0])
    frames = session.frames
    assert frames is not None
    stamps = np.repeat(frames.stamps_ns, np.diff(frames.starts))
    gaps = np.concatenate([
        np.diff(stamps[[subject == name for subject in frames.subjects]]) / 1e9
        for name in session.phones])
    assert (gaps > 2).sum() >= 3
    present = sum(len(truth.stamps_ns) for truth in session.truth.values())
    assert 0.35 < len(stamps) / present < 0.9


@pytest.mark.parametrize(('arguments', 'reason'), [
    ({'areas': 0}, 'areas is 0'),
    ({'minutes': 0.4}, 'at least 0.5'),
    ({'minutes': float('nan')}, 'minutes is nan'),
    ({'minutes': float('inf')}, 'minutes is inf'),
    ({'seed': -1}, 'seed is -1'),
    ({'without_camera': ['area3']}, "'area3', but areas are area0 to area2"),
])
def test_numbers_out_of_their_limits_are_refused(
        arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        plan_sessions(**{'areas': 3, 'minutes': 4.0, 'seed': 0, **arguments})  # type: ignore[arg-type]

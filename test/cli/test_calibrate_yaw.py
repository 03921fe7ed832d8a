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

"""Command line of `utt calibrate yaw`, on walks of the simulator."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.cli.main import main
from utt_ros.geometry.compass import wrap_angle
from utt_ros.parameter_files import read_parameter_file
from utt_ros.sessions.session_bags import write_area, write_session
from utt_ros.sessions.simulator.world import SessionPlan, plan_sessions, simulate_session
from utt_ros.sessions.survey_data import survey_yaw
from utt_ros.types import Array, Session


@pytest.fixture
def plans() -> list[SessionPlan]:
    return plan_sessions(1, 2.0, 2)  # two minutes


def write(folder: Path, plan: SessionPlan, session: Session) -> str:
    """Write a session beside an area file whose yaw is 0."""
    area = replace(plan.area.settings, magnetic_yaw=0.0)
    write_area(area, folder)
    write_session(session, area, folder / session.name)
    return str(folder / session.name)


def local_yaw(plan: SessionPlan, positions_m: Array) -> float:
    """Yaw of the simulated field on the walked floor, in which each square metre counts once."""
    cells = np.unique(np.floor(positions_m), axis=0) + 0.5
    x, y, _ = plan.area.field.at(cells).T
    return float(np.angle(np.exp(1j * (np.pi / 2 - np.arctan2(y, x))).mean()))


@pytest.mark.parametrize('labels', [True, False])
def test_two_minutes_of_walks_give_the_yaw_of_the_field_on_the_walked_floor(
    labels: bool, tmp_path: Path, plans: list[SessionPlan], capsys: pytest.CaptureFixture[str],
) -> None:
    sessions = [simulate_session(plan) for plan in plans]
    walked = np.concatenate([
        truth.positions_m for session in sessions for truth in session.truth.values()])
    inside = (walked[:, 0] > 2.5) & (np.abs(walked[:, 1]) < walked[:, 0])
    if not labels:
        sessions = [replace(session, frames=replace(
            session.frames, subjects=('',) * len(session.frames.subjects)))
            for session in sessions if session.frames is not None]
    bags = [write(tmp_path / 'area0', plan, session)
            for plan, session in zip(plans, sessions, strict=True)]
    out = tmp_path / 'yaw.yaml'
    assert main(['calibrate', 'yaw', *bags, '--out', str(out)]) == 0
    found = read_parameter_file(out)['magnetic_yaw']
    error = np.angle(np.exp(1j * (found - local_yaw(plans[0], walked[inside]))))
    assert np.degrees(error) == pytest.approx(0.0, abs=2.0)
    printed = capsys.readouterr().out
    assert 'how phones were held: from the steps' in printed
    assert 'for the undisturbed field' in printed
    assert 'cannot tell within 2 degrees how the room lies in the undisturbed field' in printed
    assert 'area file: 0.0000' in printed
    assert out.with_suffix('.png').exists()


@pytest.mark.slow
def test_yaw_of_the_walked_floor_is_within_2_degrees_and_told_errors_cover_it() -> None:
    floor, nominal = np.array([survey_errors(seed) for seed in range(310, 318)]).transpose(1, 2, 0)
    assert np.sqrt((floor[0]**2).mean()) < np.radians(1.4)
    assert (np.abs(floor[0]) < np.radians(2.5)).all()
    for error, told in (floor, nominal):
        assert (np.abs(error) < 2 * told).mean() > 0.7
        assert (np.abs(error) < 3 * told).all()
    assert (floor[1] < np.radians(2.0)).all()
    assert (nominal[1] > np.radians(2.0)).all(), 'two minutes cannot tell that'


def survey_errors(seed: int) -> Array:
    """Errors and told errors of a yaw, (2, 2): of the walked floor and of the nominal yaw."""
    plans = plan_sessions(1, 2.0, seed)
    area = plans[0].area.settings
    fit, _ = survey_yaw([simulate_session(plan) for plan in plans], area)
    floor = local_yaw(plans[0], fit.samples.positions_m)
    errors = wrap_angle(fit.yaw_rad - np.array([floor, area.magnetic_yaw]))
    return np.stack([errors, [fit.error_rad, fit.field_error_rad]], axis=1)


@pytest.mark.parametrize(('change', 'reason'), [
    ('compass', 'no compass: no phone sent a magnetic field'),
    ('camera', 'the camera saw nobody'), ('short', 'at least 60 are needed')])
def test_recording_without_what_is_needed_is_refused(
    change: str, reason: str, tmp_path: Path, plans: list[SessionPlan],
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = simulate_session(plans[0])
    if change == 'compass':
        session = replace(session, phones={
            name: replace(phone, magnetic=phone.magnetic[:0],
                          magnetic_stamps_ns=phone.magnetic_stamps_ns[:0])
            for name, phone in session.phones.items()})
    if change == 'camera':
        session = replace(session, frames=None)
    if change == 'short':
        name = next(iter(session.phones))
        session = replace(session, phones={name: session.phones[name]})
    bag = write(tmp_path / 'area0', plans[0], session)
    assert main(['calibrate', 'yaw', bag, '--out', str(tmp_path / 'yaw.yaml')]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / 'yaw.yaml').exists()

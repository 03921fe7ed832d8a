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

"""Command line of `utt calibrate access-points`, on walks of the simulator."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.cli.main import main
from utt_ros.sessions.session_bags import write_area, write_session
from utt_ros.sessions.simulator.world import SessionPlan, plan_sessions, simulate_session
from utt_ros.twin.range_offsets import read_range_offsets

MINUTES = 3.0


@pytest.fixture(scope='module')
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[SessionPlan], list[str]]:
    """Walks with three access points, of which the area file lists two, as bags."""
    plans = plan_sessions(1, MINUTES, 3, access_points=3)
    folder = tmp_path_factory.mktemp('walks') / 'area0'
    area = replace(plans[0].area.settings,
                   access_points=plans[0].area.settings.access_points[:2])
    write_area(area, folder)
    bags = []
    for plan in plans:
        bags.append(str(folder / plan.name))
        write_session(simulate_session(plan), plan.area.settings, Path(bags[-1]))
    return plans, bags


def test_offsets_are_those_of_the_simulator_and_the_unlisted_access_point_is_located(
    walked: tuple[list[SessionPlan], list[str]], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plans, bags = walked
    out = tmp_path / 'offsets.yaml'
    third = plans[0].area.settings.access_points[2]
    assert main(['calibrate', 'access-points', *bags, '--locate', third.address,
                 '--height', str(third.position[2]), '--out', str(out),
                 '--against', *bags]) == 0
    offsets = read_range_offsets(out)
    found = np.array([row.offset for row in offsets.access_points])
    true = np.array(plans[0].area.ap_offsets_m)
    assert found - found.mean() == pytest.approx(true - true.mean(), abs=0.4)
    assert offsets.access_points[2].position == pytest.approx(third.position, abs=1.0)
    assert len(offsets.phones) > 2
    printed = capsys.readouterr().out
    assert f'    range_offsets: {out}' in printed
    assert f'"{third.address.lower()}": [' in printed
    assert 'offset less that at true places' in printed
    assert out.with_suffix('.png').exists()


def test_unlisted_access_points_are_named_and_left_out(
    walked: tuple[list[SessionPlan], list[str]], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plans, bags = walked
    out = tmp_path / 'offsets.yaml'
    assert main(['calibrate', 'access-points', *bags, '--out', str(out)]) == 0
    assert len(read_range_offsets(out).access_points) == 2
    assert f'left out: {plans[0].area.ap_offsets_m and plans[0].area.settings.ap_addresses[2]}' \
        in capsys.readouterr().out


@pytest.mark.parametrize(('arguments', 'reason'), [
    (['--locate', 'nobody'], '--locate nobody: ranges are from'), ([], 'too few walks in view')])
def test_nothing_is_written_when_the_walks_do_not_tell(
    walked: tuple[list[SessionPlan], list[str]], tmp_path: Path, arguments: list[str], reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plans, _ = walked
    area = plans[0].area.settings
    session = simulate_session(plans[0])
    name = next(iter(session.phones))
    one = replace(session.phones[name], ftm=session.phones[name].ftm[:40],
                  ftm_stamps_ns=session.phones[name].ftm_stamps_ns[:40], ftm_signal=None,
                  ftm_aps=session.phones[name].range_aps[:40])
    write_area(area, tmp_path / 'area0')
    write_session(replace(session, phones={name: one}), area, tmp_path / 'area0' / 'short')
    out = tmp_path / 'offsets.yaml'
    assert main(['calibrate', 'access-points', str(tmp_path / 'area0' / 'short'),
                 '--out', str(out), *arguments]) == 2
    assert reason in capsys.readouterr().err
    assert not out.exists()

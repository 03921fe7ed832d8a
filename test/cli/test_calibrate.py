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

"""Command line of `utt calibrate ftm`."""

from pathlib import Path

import numpy as np
import pytest

from utt_ros.cli.main import main
from utt_ros.drivers.ftm.ftm_calibration import read_ftm_calibration
from utt_ros.sessions.session_bags import write_session
from utt_ros.settings import AreaSettings
from utt_ros.types import PhoneStreams, Session

AP, OTHER = '02:00:00:00:00:01', '02:00:00:00:00:0a'
DISTANCES = (1.0, 2.0, 4.0, 6.0, 9.0)
CAPTURE = Path(__file__).parents[2] / 'docs/sources/captures/ftm_points.csv'


def recording(
    folder: Path, distance_m: float, rng: np.random.Generator, aps: tuple[str, ...] = (AP,),
) -> Path:
    """Write a bag of 20 s with a phone that lies still."""
    stamps = 10**9 + np.arange(60) * 333_333_333
    ranges = distance_m + 0.85 + rng.normal(0, 0.3, 60)
    empty = np.zeros(0, np.int64)
    phone = PhoneStreams(
        stamps, np.stack([ranges, np.full(60, 0.3)], axis=1).astype(np.float32),
        empty, np.zeros((0, 6), np.float32), empty, np.zeros((0, 3), np.float32), ap=AP,
        ftm_aps=aps * (60 // len(aps)))
    bag = folder / f'at_{distance_m:g}'
    write_session(Session('hall', bag.name, '', None, {'anna': phone}, {}),
                  AreaSettings(area='hall'), bag)
    return bag


def test_recordings_become_a_calibration_a_report_and_a_plot(
        tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    bags = [str(recording(tmp_path, distance, rng)) for distance in DISTANCES]
    out = tmp_path / 'new' / 'ftm.yaml'
    words = ['calibrate', 'ftm', *bags, '--distances', *map(str, DISTANCES), '--out', str(out)]
    assert main(words) == 0
    fit = read_ftm_calibration(out).fits['anna', AP]
    assert fit.offset == pytest.approx(0.85, abs=0.1)
    assert (fit.places, fit.ranges, fit.scale) == (5, 300, 1.0)
    printed = capsys.readouterr().out
    assert f'anna, {AP}: offset +0.8' in printed
    assert '300 ranges at 5 distances' in printed
    assert out.with_suffix('.png').read_bytes().startswith(b'\x89PNG')


def test_distances_are_from_the_chosen_access_point_where_several_were_in_range(
        tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    bags = [str(recording(tmp_path, distance, rng, (AP, OTHER))) for distance in DISTANCES]
    out = tmp_path / 'ftm.yaml'
    words = ['calibrate', 'ftm', *bags, '--distances', *map(str, DISTANCES), '--out', str(out)]
    assert main(words) == 2
    assert f'ranges of {AP}, {OTHER}: choose one with --ap' in capsys.readouterr().err
    assert main([*words, '--ap', OTHER.upper()]) == 0
    assert list(read_ftm_calibration(out).fits) == [('anna', OTHER)]


def test_capture_in_the_documentation_is_fitted_with_a_scale(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'ftm.yaml'
    plot = tmp_path / 'other.png'
    words = ['calibrate', 'ftm', str(CAPTURE), '--scale', '--out', str(out), '--plot', str(plot)]
    assert main(words) == 0
    fits = read_ftm_calibration(out).fits
    assert set(fits) == {('anna', AP), ('ben', '')}
    assert fits['anna', AP].scale != 1.0
    assert plot.exists()
    assert 'ben, access point unknown' in capsys.readouterr().out


@pytest.mark.parametrize(('rows', 'words', 'error'), [
    ('anna,,1,2\nanna,,1,2.1', (), 'ranges at 1 distances: at least 3'),
    ('anna,,1,2\nanna,,2,3\nanna,,3,4', ('--scale',), 'at least 4'),
    ('anna,,1,2', ('--phone', 'ben'), 'no range of ben: there are anna'),
    ('anna,,1,2', ('--distances', '3'), '0 bags and 1 --distances'), ('', (), 'no range')])
def test_points_that_cannot_be_fitted_are_refused(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: str, words: tuple,
        error: str) -> None:
    table, out = tmp_path / 'points.csv', tmp_path / 'ftm.yaml'
    table.write_text(f'phone,ap,distance_m,range_m\n{rows}\n')
    assert main(['calibrate', 'ftm', str(table), *words, '--out', str(out)]) == 2
    assert error in capsys.readouterr().err
    assert not out.exists()


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='0'):
        main(['calibrate', 'ftm', '--help'])
    printed = capsys.readouterr().out
    assert 'utt calibrate ftm points.csv' in printed
    assert '--scale' in printed

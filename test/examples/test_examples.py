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

"""Each example runs as its docstring describes, and prints a result that depends on its input."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(name: str, *args: object) -> str:
    command = [sys.executable, str(ROOT / 'examples' / f'{name}.py'), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def _package_of_this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PYTHONPATH', str(ROOT))


def test_recording_becomes_a_plot_and_errors_below_a_metre(
        sessions: Path, tmp_path: Path) -> None:
    plot = tmp_path / 'positions.png'
    printed = run('recording_to_plot', sessions / 'area0/session02', '--out', plot)
    errors = [float(value) for value in re.findall(r'median error ([\d.]+) m', printed)]
    assert errors
    assert max(errors) < 1.0
    assert plot.read_bytes().startswith(b'\x89PNG')


@pytest.mark.slow
def test_own_fusor_is_trained_beside_the_gating_one(sessions: Path) -> None:
    printed = run('own_fusor', sessions, '--rounds', 1)
    scores = dict(re.findall(r'(\w+): mean NMSE on the val split ([\d.]+)', printed))
    assert scores.keys() == {'gating', 'maximum'}
    assert scores['gating'] != scores['maximum']


def test_own_aggregation_rule_withstands_the_hostile_area() -> None:
    errors = {name: float(value) for name, value in re.findall(
        r'(\w+): largest error of a weight ([\d.]+)', run('own_aggregation_rule'))}
    assert errors['median'] < 0.5 < errors['mean']


def test_own_dataset_becomes_a_bag_with_windows_of_all_modalities(tmp_path: Path) -> None:
    printed = run('own_dataset', '--out', tmp_path / 'hall/monday')
    shares = dict(re.findall(r'(camera|ftm|imu) (\d+)%', printed))
    assert int(shares['camera']) > 90
    assert int(shares['imu']) > 90
    assert int(shares['ftm']) > 20
    assert (tmp_path / 'hall/monday/metadata.yaml').exists()


def test_own_camera_source_finds_the_two_people_of_the_film() -> None:
    printed = run('own_camera_source', ROOT / 'docs/sources/captures/two_people.mp4')
    assert re.fullmatch(r'\d+ images, 2 people in the median image\n', printed)


def test_every_example_is_tested() -> None:
    tested = set(re.findall(r"run\('(\w+)'", Path(__file__).read_text(encoding='utf-8')))
    assert tested == {path.stem for path in (ROOT / 'examples').glob('*.py')}

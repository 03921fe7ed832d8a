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

"""Command line of `utt sources`."""

import pytest

from utt_ros.cli.main import main
from utt_ros.drivers import camera, ftm, imu


def test_every_source_is_listed_with_its_availability(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('PATH', '/nowhere')
    assert main(['sources']) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert {(row[0], row[1]) for row in rows} == {
        (kind, name) for kind, entries in
        (('camera', camera.SOURCES), ('ftm', ftm.SOURCES), ('imu', imu.SOURCES))
        for name in entries.names()}
    by_name = {row[1]: ' '.join(row[2:]) for row in rows}
    assert by_name['opencv'].endswith('yes')
    assert 'the program iw is not installed: apt install iw' in by_name['iw']


def test_help_shows_how_a_source_is_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(['sources', '--help'])
    assert ended.value.code == 0
    assert 'source: iw' in capsys.readouterr().out

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

"""Files of a survey, read as parameters of the area, and its refusals."""

import argparse
from pathlib import Path

import pytest

from utt_ros.cli.survey_output import (
    SurveyedValue,
    compare_with_area,
    read_survey_bags,
    read_surveyed_area,
    write_survey,
)
from utt_ros.errors import SettingsError, UttError
from utt_ros.parameter_files import read_parameter_file
from utt_ros.settings import AreaSettings

VALUES = {'camera_pitch': SurveyedValue(0.25041, 0.0031, 'rad', 4)}


def arguments(tmp_path: Path, **given: object) -> argparse.Namespace:
    return argparse.Namespace(**{
        'area': None, 'out': tmp_path / 'new' / 'survey.yaml', 'plot': None, **given})


def test_file_has_the_values_and_their_errors_as_remarks(tmp_path: Path) -> None:
    args, drawn = arguments(tmp_path), []
    text = write_survey(args, VALUES, drawn.append)
    assert read_parameter_file(args.out) == {'camera_pitch': 0.2504}
    assert 'camera_pitch: 0.2504  # ± 0.0031 rad' in args.out.read_text()
    assert drawn == [tmp_path / 'new' / 'survey.png']
    assert str(args.out) in text


def test_figure_that_cannot_be_written_is_an_error_with_its_path(tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise OSError('disk full')

    with pytest.raises(SettingsError, match='disk full'):
        write_survey(arguments(tmp_path), VALUES, refuse)


def test_values_stand_beside_those_of_the_area_file() -> None:
    assert compare_with_area(VALUES, AreaSettings()) == [
        'camera_pitch: 0.2504 ± 0.0031 rad, area file: 0.2094']


def test_area_must_exist_and_a_bag_be_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='give its file with --area'):
        read_surveyed_area(arguments(tmp_path), [])
    with pytest.raises(SettingsError, match='does not exist'):
        read_surveyed_area(arguments(tmp_path), [tmp_path / 'bag'])
    with pytest.raises(UttError, match='not a bag'):
        read_survey_bags([tmp_path], AreaSettings())

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

"""Arguments of `utt replay` and `utt record` reach the node that the process becomes."""

import argparse
from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.orchestration.bag_arguments import (
    add_player_arguments,
    add_recorder_arguments,
    command_words,
    play_settings,
    remapped,
)


def parse(add, *given):
    parser = argparse.ArgumentParser()
    parser.set_defaults(run=print)
    add(parser)
    return parser.parse_args(given)


@pytest.mark.parametrize('given', [
    ('bag',),
    ('one', 'two', '--rate', '2.5', '--loop', '--wait-subscribers', '0'),
    ('--start-offset=1', '--duration=2', '--clock-rate=0', '--clock-topic=/hall/clock', 'bag'),
    ('bag', '--topic', '/a/.*', '--topic=-x', '--remap', '/a/:=/b/', '--remap', '/c:=/d'),
    ('--', '-odd'),
])
def test_player_gets_the_arguments_of_utt_replay(given):
    options = parse(add_player_arguments, *given)
    assert parse(add_player_arguments, *command_words(options)) == options


@pytest.mark.parametrize('given', [
    ('bag',), ('bag', '/hall/', '/stairs/'), ('bag', '--topic', '/a', '--topic', '/b')])
def test_recorder_gets_the_arguments_of_utt_record(given):
    options = parse(add_recorder_arguments, *given)
    assert parse(add_recorder_arguments, *command_words(options)) == options


def test_settings_are_among_the_options():
    settings = play_settings(parse(add_player_arguments, 'bag', '--rate', '2', '--loop'))
    assert (settings.rate, settings.loop, settings.clock_rate) == (2.0, True, 40.0)
    with pytest.raises(SettingsError, match='rate is -1'):
        play_settings(parse(add_player_arguments, 'bag', '--rate', '-1'))


@pytest.mark.parametrize('wrong', ['/a', '/a:=', ':=/b'])
def test_remapping_needs_two_names(wrong, capsys):
    with pytest.raises(SystemExit):
        parse(add_player_arguments, 'bag', '--remap', wrong)
    assert 'OLD:=NEW' in capsys.readouterr().err


def test_first_remapping_whose_prefix_matches_renames_a_topic():
    remaps = [('/hall/', '/copy/'), ('/hall/phones/', '/none/')]
    assert remapped('/hall/phones/a', remaps) == '/copy/phones/a'
    assert remapped('/stairs/a', remaps) == '/stairs/a'


def test_bags_are_paths():
    assert parse(add_player_arguments, 'one', 'two').bags == [Path('one'), Path('two')]

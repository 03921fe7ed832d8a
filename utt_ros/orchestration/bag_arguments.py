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

"""Command-line arguments of the player and the recorder, shared by `utt` and their nodes."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from utt_ros.orchestration.arguments import split_list
from utt_ros.orchestration.child import child_environment
from utt_ros.orchestration.discovery import choose_reach
from utt_ros.sessions.player import PlaySettings
from utt_ros.sessions.retention import check_keep_days
from utt_ros.settings import from_mapping

POSITIONAL_ARGUMENTS = ('bags', 'folder', 'prefixes')
UTT_ONLY_ARGUMENTS = ('command', 'run', 'hosts')  # set by `utt` itself, unknown to the nodes
REMAP_SIGN = ':='


def add_player_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add('bags', nargs='+', type=Path, metavar='BAG',
        help='bags, played one after the other unless --together')
    for item in fields(PlaySettings):
        flag, text = f'--{item.name.replace("_", "-")}', item.metadata['text']
        if isinstance(item.default, bool):
            add(flag, action='store_true', help=text)
        else:
            add(flag, type=float, default=item.default, metavar='N',
                help=f'{text} (default {item.default:g})')
    add('--topic', action='append', metavar='REGEX',
        help='play only topics that match; may be repeated')
    add('--remap', action='append', type=_remap, metavar=f'OLD{REMAP_SIGN}NEW',
        help='publish topics that begin with OLD as NEW...; may be repeated')
    add('--clock-topic', default='/clock', metavar='TOPIC', help='default /clock')
    add('--wait-subscribers', type=float, default=5.0, metavar='SEC',
        help='longest wait for subscribers before the first message (default 5)')
    add('--reader', action='append', default=[], metavar='NODE',
        help='node that must subscribe to --read before the first message, within --wait-reader; '
        'may be repeated, with a --read for each')
    add('--read', action='append', default=[], metavar='REGEX',
        help='topics that it subscribes to')
    add('--wait-reader', type=float, default=30.0, metavar='SEC',
        help='longest wait for the reader (default 30)')


def add_recorder_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add('folder', type=Path, metavar='BAG', help='new bag')
    add('prefixes', nargs='*', metavar='PREFIX',
        help='record topics that begin with PREFIX, such as /hall/ (default: all topics)')
    add('--topic', action='append', metavar='REGEX',
        help='record topics that match; may be repeated')
    add('--pictures', action='store_true',
        help='also record pictures, which show people; they are left out otherwise')
    add('--keep-days', type=keep_days, metavar='DAYS',
        help='delete this recording after so many days, and now those beside it whose days are '
             'over: when another recording begins there, or by `utt forget --expired`')


def keep_days(word: str) -> float:
    """Read a number of days from an argument."""
    try:
        return check_keep_days(float(word))
    except ValueError as err:
        raise argparse.ArgumentTypeError(str(err)) from err


def add_hosts_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--hosts', default='', metavar='A,B',
        help='machines whose topics take part; opens DDS, which listens on 127.0.0.1 otherwise')


def play_settings(args: argparse.Namespace) -> PlaySettings:
    """Return the settings among the player's arguments. Raises SettingsError."""
    names = [item.name for item in fields(PlaySettings)]
    return from_mapping(PlaySettings, {name: getattr(args, name) for name in names})


def remapped(topic: str, remaps: Sequence[tuple[str, str]]) -> str:
    """Replace the prefix of a topic by the first remapping (old, new) that matches."""
    for old, new in remaps:
        if topic.startswith(old):
            return new + topic.removeprefix(old)
    return topic


def exec_node(node: str, args: argparse.Namespace) -> NoReturn:
    """Replace this process by a node with the same arguments. Raises SettingsError."""
    choose_reach(split_list(args.hosts))
    command = [sys.executable, '-m', 'utt_ros.orchestration.node', node, *command_words(args)]
    sys.stdout.flush()
    os.execve(command[0], command, child_environment(colour=sys.stderr.isatty()))  # noqa: S606


def command_words(args: argparse.Namespace) -> list[str]:
    """Return the command line that parses to these arguments."""
    given = dict(vars(args))
    positional = [str(item) for name in POSITIONAL_ARGUMENTS
                  for item in _list(given.pop(name, []))]
    flags: list[str] = []
    for name, value in given.items():
        if name in UTT_ONLY_ARGUMENTS or value is None or value is False:
            continue
        flag = f'--{name.replace("_", "-")}'
        flags += [flag if item is True else f'{flag}={_text(item)}' for item in _list(value)]
    return [*flags, '--', *positional]


def _remap(word: str) -> tuple[str, str]:
    old, sign, new = word.partition(REMAP_SIGN)
    if not (old and sign and new):
        raise argparse.ArgumentTypeError(f'{word!r}: it must be OLD{REMAP_SIGN}NEW')
    return old, new


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    return REMAP_SIGN.join(value) if isinstance(value, tuple) else str(value)

"""Arguments of the player and the recorder: the same for `utt` and for their nodes."""

import argparse
import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from utt_ros.orchestration.supervisor import environment
from utt_ros.sessions.player import PlaySettings
from utt_ros.settings import from_mapping

POSITIONAL = ('bags', 'folder', 'prefixes')
OURS = ('command', 'run')  # what `utt` itself keeps among the options
REMAP = ':='


def add_player_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the player can be told."""
    add = parser.add_argument
    add('bags', nargs='+', type=Path, metavar='BAG', help='bags, played one after the other')
    for item in fields(PlaySettings):
        flag, text = f'--{item.name.replace("_", "-")}', item.metadata['text']
        if isinstance(item.default, bool):
            add(flag, action='store_true', help=text)
        else:
            add(flag, type=float, default=item.default, metavar='N',
                help=f'{text} (default {item.default:g})')
    add('--topic', action='append', metavar='REGEX', help='play only such topics; may be repeated')
    add('--remap', action='append', type=_remap, metavar=f'OLD{REMAP}NEW',
        help='publish topics that begin with OLD as NEW...; may be repeated')
    add('--clock-topic', default='/clock', metavar='TOPIC', help='default /clock')
    add('--wait-subscribers', type=float, default=5.0, metavar='SEC',
        help='wait as long for somebody to listen before the first message (default 5)')


def add_recorder_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the recorder can be told."""
    add = parser.add_argument
    add('folder', type=Path, metavar='BAG', help='new bag')
    add('prefixes', nargs='*', metavar='PREFIX',
        help='record topics that begin with it, such as /hall/ (default: all topics)')
    add('--topic', action='append', metavar='REGEX', help='record such topics; may be repeated')


def play_settings(options: argparse.Namespace) -> PlaySettings:
    """The settings among the player's options. Raises SettingsError."""
    names = [item.name for item in fields(PlaySettings)]
    return from_mapping(PlaySettings, {name: getattr(options, name) for name in names})


def become(node: str, options: argparse.Namespace) -> NoReturn:
    """Replace this process by a node that is told the same."""
    command = [sys.executable, '-m', f'utt_ros.nodes.{node}_node', *words(options)]
    sys.stdout.flush()
    os.execve(command[0], command, environment(colour=sys.stderr.isatty()))  # noqa: S606


def words(options: argparse.Namespace) -> list[str]:
    """The words that give these options again."""
    given = dict(vars(options))
    places = [str(each) for name in POSITIONAL for each in _list(given.pop(name, []))]
    flags: list[str] = []
    for name, value in given.items():
        if name in OURS or value is None or value is False:
            continue
        flag = f'--{name.replace("_", "-")}'
        flags += [flag if each is True else f'{flag}={_text(each)}' for each in _list(value)]
    return [*flags, '--', *places]


def _remap(word: str) -> tuple[str, str]:
    old, sign, new = word.partition(REMAP)
    if not (old and sign and new):
        raise argparse.ArgumentTypeError(f'{word!r}: it must be OLD{REMAP}NEW')
    return old, new


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    return REMAP.join(value) if isinstance(value, tuple) else str(value)

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

"""`utt forget`: remove people, or old recordings, from what is stored."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from utt_ros.drivers.pseudonyms import read_pseudonyms
from utt_ros.errors import SessionError, SettingsError
from utt_ros.files import recover_folders
from utt_ros.orchestration.bag_arguments import keep_days
from utt_ros.orchestration.launch_plan import DEFAULT_STATE
from utt_ros.sensor_limits import is_name
from utt_ros.sessions.bag_forgetting import ForgottenPeople, forget_in_bag
from utt_ros.sessions.export.bag_export import find_bags
from utt_ros.sessions.retention import delete_bag, expired_bags, finish_deletions
from utt_ros.twin.kept_offsets import forget_phones

EXAMPLES = """
examples:
  utt forget ann --recordings recordings             every trace of ann in bags and state
  utt forget ann --recordings recordings --dry-run   what would be removed
  utt forget --older-than 30 --recordings recordings
  utt forget --expired --recordings recordings       recordings made with --keep-days

Names are those of phones in topics; where phones have pseudonyms, the key in --keys finds that of
a name. Bags are rewritten without the person's topics, rows, camera tracks and messages that name
them, and without any picture. Stop the nodes first: what they hold in memory is written again.
Weights of models are not un-learned: the rounds that may have learned from the person are printed.
docs/privacy.md tells what is stored where.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `utt forget`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=run)
    parser.add_argument('people', nargs='*', metavar='PERSON', help='names, or pseudonyms')
    old = parser.add_mutually_exclusive_group()
    old.add_argument('--older-than', type=keep_days, metavar='DAYS',
                     help='delete recordings whose newest message is older')
    old.add_argument('--expired', action='store_true',
                     help='delete recordings that were made with --keep-days, when these are over')
    parser.add_argument('--recordings', nargs='+', type=Path, default=[], metavar='DIR',
                        help='bags, or folders of bags')
    parser.add_argument('--state', type=Path, default=DEFAULT_STATE, metavar='DIR',
                        help=f'state folder of utt run (default {DEFAULT_STATE})')
    parser.add_argument('--keys', type=Path, metavar='DIR',
                        help='folder with the key of pseudonyms (default: keys in --state)')
    parser.add_argument('--dry-run', action='store_true', help='change nothing')


def run(args: argparse.Namespace) -> int:
    """Remove and print what was removed. Raises UttError."""
    is_old = args.expired or args.older_than is not None
    if is_old == bool(args.people):
        raise SettingsError('give PERSON, or --older-than DAYS, or --expired')
    if is_old and not args.recordings:
        raise SettingsError('give --recordings, the folders of the bags')
    if not args.dry_run:
        _recover(args.recordings)
    if is_old:
        _delete_old(args)
    else:
        _forget_people(args)
    return 0


def _recover(recordings: Sequence[Path]) -> None:
    """Finish what killed commands began: copies of people would stay. Raises SessionError."""
    try:
        for path in recordings:
            recover_folders(path)
            finish_deletions(path)
    except OSError as err:
        raise SessionError(str(err)) from err


def _delete_old(args: argparse.Namespace) -> None:
    verb = 'would be deleted' if args.dry_run else 'deleted'
    for folder in args.recordings:
        found = list(expired_bags(folder, time.time_ns(), args.older_than))
        for bag in found:
            if not args.dry_run:
                delete_bag(bag)
            print(f'{bag}: {verb}')
        if not found:
            print(f'{folder}: no recording is older')


def _forget_people(args: argparse.Namespace) -> None:
    names = _topic_names(args.people, args.keys or args.state / 'keys')
    rounds: dict[str, set[int]] = {}
    for bag in find_bags(args.recordings).values():
        found = forget_in_bag(bag, names, dry_run=args.dry_run)
        print(f'{bag}: {_describe(found, args.dry_run)}')
        for area, numbers in found.rounds.items():
            rounds.setdefault(area, set()).update(numbers)
    for file, count in forget_phones(args.state.expanduser(), names, dry_run=args.dry_run).items():
        print(f'{file}: {count} offsets of phones {_verb(args.dry_run)}')
    if rounds:
        seen = '; '.join(f'{area}: rounds {_ranges(sorted(numbers))}'
                         for area, numbers in sorted(rounds.items()))
        print(f'models in use while they were seen: {seen}. Models of these and later rounds may '
              'have learned from them and are not changed')
    else:
        print('no recording tells during which rounds they were seen; models are not changed')


def _topic_names(people: Sequence[str], keys: Path) -> list[str]:
    """Return the names of people in topics, and their pseudonyms where there is a key."""
    for name in people:
        if not is_name(name):
            raise SettingsError(f'{name!r} is no name of a phone: a letter, then letters, digits '
                                'and single underscores')
    pseudonyms = read_pseudonyms(keys)
    return [*people, *(map(pseudonyms.of, people) if pseudonyms else ())]


def _describe(found: ForgottenPeople, dry_run: bool) -> str:
    if found.is_unchanged:
        return 'no trace of them'
    pictures = f' ({found.pictures} pictures)' if found.pictures else ''
    return (f'{found.removed} messages{pictures} {_verb(dry_run)}, {found.changed} '
            f'{"would be " if dry_run else ""}changed')


def _verb(dry_run: bool) -> str:
    return 'would be removed' if dry_run else 'removed'


def _ranges(numbers: list[int]) -> str:
    """Return sorted numbers as ranges, such as 3-5, 9."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][-1] = number
        else:
            parts.append([number, number])
    return ', '.join(f'{first}-{last}' if last > first else str(first) for first, last in parts)

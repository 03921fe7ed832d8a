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

"""`utt keys`: keys that sign updates, models and graphs."""

import argparse
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.federation.keys import KeyFolder, key_id, public_line
from utt_ros.federation.settings import SigningSettings
from utt_ros.text_table import align_columns

EXAMPLES = """
examples:
  utt keys list                               names, identifiers, whether the private key is here
  utt keys create hall aggregator             make keys, where there are none
  utt keys show hall                          the public line, for other sites
  utt keys trust 'hall ed25519:bWTX...'       add the public line of another site
  utt keys trust hall.pub                     the same from a file

`utt run` and the launch files make the keys of their areas and of their aggregator, in the folder
keys of their state; nodes alone use ~/.ros/utt_ros/keys. Only its owner may read a private key. A
site sends its public lines to the others, and never a file that ends with .key: docs/security.md.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of `utt keys`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('verb', choices=sorted(VERBS), help='see the examples')
    parser.add_argument('words', nargs='*', metavar='NAME|LINE|FILE',
                        help='names of areas or aggregator; for trust, public lines or files')
    parser.add_argument('--keys', type=Path, default=Path(SigningSettings().keys), metavar='DIR',
                        help=f'folder of keys (default {SigningSettings().keys})')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry out one verb. Raises SettingsError."""
    VERBS[args.verb](KeyFolder(args.keys), args.words)
    return 0


def _create(keys: KeyFolder, names: list[str]) -> None:
    for name in _given(names, 'names'):
        print(public_line(name, keys.private(name).public_key()))


def _list(keys: KeyFolder, _words: list[str]) -> None:
    own = keys.own_names()
    rows = [[name, identifier, 'here' if name in own else 'elsewhere']
            for name in keys.names() for identifier in keys.public(name)]
    print('\n'.join(align_columns(['name', 'key', 'private key'], rows, left=3)))


def _show(keys: KeyFolder, names: list[str]) -> None:
    for name in names or keys.names():
        found = keys.public(name)
        if not found:
            raise SettingsError(f'{keys.folder} has no key of {name!r}')
        for key in found.values():
            print(public_line(name, key))


def _trust(keys: KeyFolder, words: list[str]) -> None:
    for word in _given(words, 'public lines or files'):
        path = Path(word)
        try:
            text = word if ' ' in word else path.read_text(encoding='utf-8')
        except (OSError, UnicodeDecodeError) as err:
            raise SettingsError(f'{word} is neither a public line nor a file of them: {err}'
                                ) from err
        for line in filter(str.strip, text.splitlines()):
            name = keys.trust(line)
            print(f'{name} {", ".join(sorted(map(key_id, keys.public(name).values())))}')


def _given(words: list[str], what: str) -> list[str]:
    if not words:
        raise SettingsError(f'give {what}')
    return words


VERBS = {'create': _create, 'list': _list, 'show': _show, 'trust': _trust}

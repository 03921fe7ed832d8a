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

"""`utt`: one module per command, imported only when that command is run."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from utt_ros.errors import UttError
from utt_ros.orchestration.ros_environment import check_environment, shared_file
from utt_ros.orchestration.terminal import replace_unprintable

EXTRAS = {  # as in pyproject.toml
    'evaluation': ('filterpy', 'pandas', 'jinja2'), 'view': ('viser',)}


class Command(NamedTuple):
    """Module of a command, help text, optional packages that it needs, whether it starts nodes."""

    module: str
    text: str
    extra: str = ''
    nodes: bool = False


COMMANDS = {
    'import': Command('import_', 'convert recordings of another layout to bags'),
    'simulate': Command('simulate', 'simulate sessions and write them as bags'),
    'replay': Command('replay', 'publish the messages of bags on ROS topics', nodes=True),
    'record': Command('record', 'record the topics of an area to a bag', nodes=True),
    'export': Command('export_command', 'write recordings as tables: CSV, GeoJSON or Parquet'),
    'forget': Command('forget', 'remove people, or old recordings, from what is stored'),
    'recover': Command('recover', 'write what is whole of a damaged bag to a new one'),
    'run': Command('run', 'start the nodes of one or more areas', nodes=True),
    'status': Command('status_command', 'show what running areas and their federation do'),
    'view': Command('view_command', 'show running areas, or a bag, in a browser'),
    'demo': Command('demo', 'simulate, replay, train and evaluate three areas', nodes=True),
    'twins': Command('twins', 'list, show, change, export and import the task twins of areas'),
    'transfer': Command('operation_commands', 'make a task twin from another one'),
    'merge': Command('operation_commands', 'make a better task twin from several'),
    'split': Command('operation_commands', 'make several task twins from one'),
    'keys': Command('keys_command', 'make, show and trust the keys of areas and aggregator'),
    'sources': Command('sources', 'list sensor sources and whether they work on this machine'),
    'setup': Command('setup_command', 'ask for an area, and write its file'),
    'check': Command('check', 'read every sensor of an area for some seconds'),
    'calibrate': Command('calibrate', 'fit systematic errors of a sensor, or its pose'),
    'train': Command('train', 'train a model on recordings'),
    'evaluate': Command(
        'evaluate', 'reproduce the tables and figures of the paper on recordings', 'evaluation'),
    'bench': Command('bench', 'measure speed, association on recordings, attacks and faults'),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 2 for a UttError or a file that cannot be used."""
    replace_unprintable()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    chosen = next((word for word in arguments if not word.startswith('-')), None)
    try:
        _raise_interrupts()
        try:
            return _run(chosen, arguments)
        finally:
            sys.stdout.flush()  # here, where a reader that has ended is no error
    except UttError as err:
        print(f'utt {chosen}: {err}', file=sys.stderr)
        return 2
    except BrokenPipeError:  # its reader has ended, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as err:
        print(f'utt {chosen}: {describe_refusal(err)}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 128 + signal.SIGINT


def describe_refusal(err: OSError) -> str:
    """Return what the system refuses, with the path first."""
    reason = err.strerror or str(err)
    return f'{err.filename}: {reason}' if err.filename else reason


def package_version() -> str:
    """Return the version of the package, as package.xml has it."""
    text = shared_file('package.xml').read_text(encoding='utf-8')
    found = re.search(r'<version>([^<]+)</version>', text)
    return found[1].strip() if found else 'unknown'


class _ShowVersion(argparse.Action):
    """Print the version; it is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f'utt_ros {package_version()}')
        parser.exit()


def command_parser(configured: Collection[str | None]) -> argparse.ArgumentParser:
    """Make the parser of `utt`, with the arguments of the `configured` commands."""
    parser = argparse.ArgumentParser(
        prog='utt', description='Federated network digital twins on ROS 2.')
    parser.add_argument('--version', action=_ShowVersion, nargs=0,
                        help="show the package's version and exit")
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(
            name, help=command.text, description=f'{command.text.capitalize()}.')
        if name in configured:
            import_module(f'utt_ros.cli.{command.module}').configure(subparser)
    return parser


def _run(chosen: str | None, arguments: Sequence[str]) -> int:
    args = command_parser([chosen]).parse_args(arguments)
    require_extra(COMMANDS[args.command].extra)
    if COMMANDS[args.command].nodes:
        check_environment()
    code: int = args.run(args)
    return code


def _raise_interrupts() -> None:
    """Raise KeyboardInterrupt at a Ctrl-C; until here it ended the program at once."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def require_extra(extra: str) -> None:
    """Raise UttError with the command that installs the missing packages of an extra."""
    packages = EXTRAS.get(extra, ())
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UttError(f'{", ".join(missing)} not installed: run '
                       f'`{sys.executable} -m pip install {" ".join(packages)}`')

"""`utt`: one module per command, imported only when its command is asked for."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from utt_ros.errors import UttError

COMMANDS = {
    'import': ('import_', 'read recordings in another layout and write them as bags'),
    'simulate': ('simulate', 'make sessions without any sensor'),
    'replay': ('replay', 'play a bag into ROS topics'),
    'record': ('record', 'write the topics of an area to a bag'),
    'run': ('run', 'start the nodes of one or more areas'),
    'demo': ('demo', 'simulate, replay, train and score three areas'),
    'sources': ('sources', 'list what sensors can be read from, and what of it works here'),
    'check': ('check', 'read every sensor of an area for some seconds'),
    'calibrate': ('calibrate', 'measure what a sensor constantly gets wrong'),
    'train': ('train', 'train a model on recordings'),
    'evaluate': ('evaluate', 'make the tables and figures of the paper from recordings'),
    'bench': ('bench', 'measure speed against a naive pipeline'),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (2 for an error that was foreseen)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog='utt', description='Federated network digital twins on ROS 2.')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    chosen = next((word for word in arguments if not word.startswith('-')), None)
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text.capitalize() + '.')
        if name == chosen:
            import_module(f'utt_ros.cli.{module}').configure(command)
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except UttError as err:
        print(f'utt {options.command}: {err}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    return code

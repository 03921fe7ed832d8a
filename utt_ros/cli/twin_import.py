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

"""`utt twins import`: hand a model file to a running area as a task twin."""

import argparse
from math import inf
from pathlib import Path

from utt_ros.cli.twin_areas import add_live_arguments, connect
from utt_ros.errors import ModelError, SettingsError, TwinError
from utt_ros.federation.settings import SigningSettings
from utt_ros.federation.signing import Signer, make_signer, sealed
from utt_ros.federation.types import TwinHandover
from utt_ros.federation.wire import pack
from utt_ros.models.saved_model import read_saved_model
from utt_ros.orchestration.arguments import split_list
from utt_ros.task_twins.registry_file import dump_twin
from utt_ros.task_twins.twin_files import imported_twin
from utt_ros.task_twins.types import TASKS


def configure_import(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `utt twins import`."""
    add = parser.add_argument
    add('file', type=Path, metavar='FILE', help='export of a task twin, or model of utt train')
    add('--area', required=True, metavar='AREA', help='that takes it in')
    add('--task', default='', choices=TASKS,
        help='that it carries out (default: that of the export)')
    add('--sources', default='', metavar='A,B',
        help='modalities that it reads (default: those of the export, or all others)')
    add('--max-nmse', type=float, default=0.0, metavar='X',
        help='largest mean NMSE_var in the area; beyond it nothing changes (default: no limit)')
    add('--keys', default=SigningSettings().keys, metavar='DIR',
        help='folder with the key of the area (default %(default)s)')
    add('--unsigned', action='store_true', help='for an area that runs with --unsigned')
    add_live_arguments(parser)


def run_import(args: argparse.Namespace) -> None:
    """Hand over the model. Raises UttError."""
    handover = make_handover(args)
    signer = area_signer(args.keys, args.area, signed=not args.unsigned)
    with connect(args) as areas:
        print(areas.adopt(args.area, sealed(handover, signer))[1])


def make_handover(args: argparse.Namespace) -> TwinHandover:
    """Return the model of a file as the area of the arguments shall take it in.

    Raises SettingsError, ModelError.
    """
    if not 0.0 <= args.max_nmse < inf:
        raise SettingsError(f'--max-nmse is {args.max_nmse:g}: it must be finite, at least 0')
    weights, card = read_saved_model(args.file)
    try:
        record = imported_twin(card, args.area, args.task, split_list(args.sources))
    except TwinError as err:
        raise ModelError(f'{args.file}: {err}') from err
    packed = pack(weights)
    return TwinHandover(args.area, dump_twin(record), card.config, args.max_nmse,
                        packed.checksum, packed.payload)


def area_signer(keys: str, area: str, *, signed: bool) -> Signer:
    """Return the signer of an area, whose key must be here already. Raises SettingsError."""
    settings = SigningSettings(signed=signed, keys=keys)
    if signed and not Path(keys, f'{area}.key').expanduser().is_file():
        raise SettingsError(
            f'{keys} has no private key of {area}, with which {area} believes its operator: give '
            'the --keys of its trainer (keys in its --state), or --unsigned where it runs so')
    return make_signer(settings, area)

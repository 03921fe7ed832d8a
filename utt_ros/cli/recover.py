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

"""`utt recover`: write what is whole of a damaged bag to a new one."""

import argparse
from pathlib import Path

from utt_ros.sessions.bag_recovery import RECOVERED, recover_bag, recovered_path

EXAMPLES = """
examples:
  utt recover evening                      write evening_recovered
  utt recover evening/evening_0.mcap --out saved

A recording that was killed, or that ended with a full disk or a power cut, can be replayed and
read as it is. A recovered one has an index and complete metadata, as other programs expect them.
The damaged bag is left as it is.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt recover`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('bag', type=Path, metavar='BAG', help='bag, or a storage file of one')
    parser.add_argument('--out', type=Path, metavar='DIR',
                        help=f'new bag (default: BAG{RECOVERED})')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Recover a bag; what was wrong with it is logged while it is read."""
    out = args.out or recovered_path(args.bag)
    recovered = recover_bag(args.bag, out)
    state = '' if recovered.remarks else '; nothing was wrong with its files'
    print(f'{out}: {recovered.messages} messages of {recovered.topics} topics{state}')
    return 0

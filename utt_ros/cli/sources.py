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

"""`utt sources`: sensor sources, and whether each is available on this machine."""

import argparse

from utt_ros.cli.driver_config import SOURCE_KINDS, source_registry
from utt_ros.errors import SettingsError
from utt_ros.text_table import align_columns

EXAMPLES = """
A source is chosen in the block of its driver in the area file, such as `source: iw` in /**/ftm;
config/area.yaml lists the settings of each, docs/sources describes its set-up. The camera has
two more, of ROS topics: `topics`, images of another driver, and `detections` of another package.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Print all sources; an entry point that cannot be imported is a row with its error."""
    rows = [[kind, name, *_availability(kind, name)]
            for kind in SOURCE_KINDS for name in sorted(source_registry(kind).names())]
    print('\n'.join(align_columns(['sensor', 'source', 'what it is', 'works here'], rows, left=4)))
    return 0


def _availability(kind: str, name: str) -> tuple[str, str]:
    try:
        entry = source_registry(kind)[name]
    except SettingsError as err:
        return '-', str(err)
    return entry.title, entry.unavailable() or 'yes'

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

"""Driver of phones, for one area or several that share a source.

Names of phones can be replaced by pseudonyms before they reach any topic.
"""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from utt_ros.bridge.node.driver import Driver
from utt_ros.bridge.node.node_arguments import check_parameter_file, parameter_files
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.process import run_node
from utt_ros.drivers.pseudonyms import PrivacySettings, Pseudonyms, open_pseudonyms
from utt_ros.drivers.shared_settings import SampleFilter, sample_filter
from utt_ros.errors import SettingsError
from utt_ros.orchestration.spec import BESIDE_FLAG
from utt_ros.settings import AreaSettings

WITHHELD = 'details are withheld, since phones have pseudonyms'
CLOCK_KEYS = ('offset_s', 'drift_ppm', 'spread_s')  # of a phone, behind its name and a dot


class PhoneDriver(Driver):
    """Base of the drivers of phones. With pseudonyms, no text of a source leaves the node."""

    _pseudonyms: Pseudonyms | None = None
    _filter = SampleFilter()
    _withheld = 0
    _others: tuple[str, ...] = ()  # areas that share the source

    def prepare(self) -> None:
        """Open the key of pseudonyms. Raises SettingsError."""
        settings = declare_settings(self, PrivacySettings)
        if not settings.pseudonyms:
            return
        if not settings.keys:
            raise SettingsError('pseudonyms need the parameter keys, the folder of their key')
        self._pseudonyms = open_pseudonyms(Path(settings.keys))
        self.hardware_id = self.chosen  # without its devices

    def share(self, others: Sequence[AreaSettings]) -> None:
        """Receive those of the samples only that can be of this area. Raises SettingsError."""
        if others:
            self._filter = sample_filter(self.settings, self.area, others)
            self._others = tuple(area.area for area in others)

    def receive(self, sample: Any) -> None:
        """Publish a sample, unless it is of other areas only."""
        if self._filter.takes(sample.phone, getattr(sample, 'ap', '')):
            super().receive(sample)
        else:
            self._withheld += 1

    def public_name(self, phone: str) -> str:
        """Return the name of a phone in topics."""
        return phone if self._pseudonyms is None else self._pseudonyms.of(phone)

    def disclose(self, text: str) -> str:
        return WITHHELD if text and self._pseudonyms is not None else text

    def disclose_status(self, status: Mapping[str, object]) -> Mapping[str, object]:
        """Return the address and the clocks of phones; without pseudonyms, all of it."""
        if self._pseudonyms is None:
            return status
        clocks = {}
        for name, value in status.items():
            phone, _, key = name.rpartition('.')
            if phone and key in CLOCK_KEYS:
                clocks[f'{self.public_name(phone)}.{key}'] = value
        return {name: status[name] for name in ('address',) if name in status} | clocks

    def _values(self) -> Mapping[str, object]:
        shared = {'shared_with': ' '.join(self._others), 'of_other_areas': self._withheld}
        return {**super()._values(), **(shared if self._others else {})}


def run_phone_driver(kind: Callable[..., PhoneDriver], args: Sequence[str] | None) -> int:
    """Run a driver, and those of other areas that it leads, until SIGINT or SIGTERM."""
    parser = ArgumentParser(
        prog=Path(sys.argv[0]).stem.removesuffix('_node'),
        description=sys.modules[kind.__module__].__doc__)
    parser.add_argument(
        BESIDE_FLAG, type=_ros_words, action='append', default=[], metavar='WORDS',
        help='another area that shares the source: ROS arguments of its node, a list in JSON')

    def make(given: Namespace) -> PhoneDriver:
        for words in given.beside:
            for path in parameter_files(words):
                check_parameter_file(path)
        return kind(beside=[kind(words) for words in given.beside])

    return run_node(make, args, parser=parser, members=lambda driver: driver.members)


def _ros_words(text: str) -> list[str]:
    """Parse the arguments of a node. Raises ArgumentTypeError."""
    try:
        words = json.loads(text)
    except ValueError as err:
        raise ArgumentTypeError(f'{text:.80}: {err}') from err
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ArgumentTypeError(f'{text:.80}: it must be a list of texts in JSON')
    return words

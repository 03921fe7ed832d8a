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

"""Driver of phones, whose names can be replaced by pseudonyms before they reach any topic."""

from collections.abc import Mapping
from pathlib import Path

from utt_ros.bridge.node.driver import Driver
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.drivers.pseudonyms import PrivacySettings, Pseudonyms, open_pseudonyms
from utt_ros.errors import SettingsError

WITHHELD = 'details are withheld, since phones have pseudonyms'
CLOCK_KEYS = ('offset_s', 'drift_ppm', 'spread_s')  # of a phone, behind its name and a dot


class PhoneDriver(Driver):
    """Base of the drivers of phones. With pseudonyms, no text of a source leaves the node."""

    _pseudonyms: Pseudonyms | None = None

    def prepare(self) -> None:
        """Open the key of pseudonyms. Raises SettingsError."""
        settings = declare_settings(self, PrivacySettings)
        if not settings.pseudonyms:
            return
        if not settings.keys:
            raise SettingsError('pseudonyms need the parameter keys, the folder of their key')
        self._pseudonyms = open_pseudonyms(Path(settings.keys))
        self.hardware_id = self.chosen  # without its devices

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

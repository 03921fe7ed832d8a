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

"""Wi-Fi fine time measurements of phones, from any source."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from utt_ros.bridge.messages.sensors import ftm_to_message
from utt_ros.bridge.node.driver import Driver
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.phone_driver import PhoneDriver, run_phone_driver
from utt_ros.bridge.node.phone_publishers import PhonePublishers
from utt_ros.drivers.ftm import DEFAULT, SOURCES
from utt_ros.drivers.ftm.ftm_calibration import FtmCalibration, read_ftm_calibration
from utt_ros.drivers.shared_settings import check_shared_ranges
from utt_ros.drivers.types import FtmSample
from utt_ros.settings import AreaSettings, check, setting


@dataclass(frozen=True, slots=True)
class FtmSettings:
    """Correction of ranges before publication."""

    calibration: str = setting('', 'file written by `utt calibrate ftm`; empty: none')
    unknown_std: float = setting(
        0.5, 'standard deviation of a range whose source reports none [m]', low=0.0, high=50.0)

    def __post_init__(self) -> None:
        check(self)


class FtmNode(PhoneDriver):
    """Publishes `phones/<phone>/ftm`."""

    def __init__(
        self, words: Sequence[str] | None = None, beside: Sequence[Driver] = (),
    ) -> None:
        self._outputs = PhonePublishers(self)
        self._calibration = FtmCalibration(())
        self._uncalibrated = 0
        super().__init__('ftm', SOURCES, DEFAULT, words, beside)

    def prepare(self) -> None:
        """Read the calibration. Raises SettingsError."""
        super().prepare()
        self._settings = declare_settings(self, FtmSettings)
        if self._settings.calibration:
            self._calibration = read_ftm_calibration(
                Path(self._settings.calibration).expanduser())

    def share(self, others: Sequence[AreaSettings]) -> None:
        check_shared_ranges([self.area, *others])
        super().share(others)

    def publish(self, samples: Sequence[FtmSample]) -> None:
        """Publish corrected ranges on the topics of their phones."""
        for sample in samples:
            corrected = self._calibration.correct(sample)
            self._uncalibrated += corrected is sample
            phone = self.public_name(sample.phone)
            self._outputs.publish(f'phones/{phone}/ftm', ftm_to_message(
                replace(corrected, phone=phone), self.area.ap_frame(sample.ap),
                self._settings.unknown_std))

    def _values(self) -> Mapping[str, object]:
        return {
            **super()._values(), 'calibrated_pairs': len(self._calibration.fits),
            'uncalibrated': self._uncalibrated}


def main(args: Sequence[str] | None = None) -> int:
    """Run the driver until SIGINT or SIGTERM."""
    return run_phone_driver(FtmNode, args)


if __name__ == '__main__':
    sys.exit(main())

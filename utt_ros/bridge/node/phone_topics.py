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

"""Sensor topics of phones: names, message types and readers."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sensor_msgs.msg import Imu, MagneticField

from utt_ros.bridge.messages.sensors import deserialize, ftm_from_message
from utt_ros.bridge.node.topic_types import message_type_name
from utt_ros.cdr import read_imu, read_magnetic
from utt_ros.errors import MeasurementError
from utt_ros.msg import FtmRange
from utt_ros.sync.synchronizer import Synchronizer

Read = Callable[[bytes], tuple[Any, ...]]


class PhoneSensor(NamedTuple):
    """Kind of phone topic. `add` is a method of the synchronizer; `read` returns its arguments."""

    modality: str
    type: type
    read: Read
    add: Callable[..., None]


PHONE_SENSORS = {
    'ftm': PhoneSensor('ftm', FtmRange, lambda data: ftm_from_message(deserialize(FtmRange, data)),
                       Synchronizer.add_ftm),
    'imu/data_raw': PhoneSensor('imu', Imu, read_imu, Synchronizer.add_inertial),
    'imu/mag': PhoneSensor('imu', MagneticField, read_magnetic, Synchronizer.add_magnetic),
}


class PhoneTopic(NamedTuple):
    """Topic of a phone with the message types that are published on it."""

    name: str
    phone: str
    sensor: PhoneSensor
    types: tuple[str, ...]

    def check_type(self) -> None:
        """Raise MeasurementError when no publisher has the type of the sensor."""
        if message_type_name(self.sensor.type) not in self.types:
            raise MeasurementError(f'{self.name} is a {self.types[0]}')


MEASUREMENT_TOPIC = re.compile(
    rf'(/.+?)/(?:camera/tracks|phones/\w+/(?:{"|".join(PHONE_SENSORS)}))')


def describe_silence(
    namespace: str, modalities: Iterable[str], published: Iterable[tuple[str, Iterable[str]]],
) -> str:
    """Return a sentence about an area that receives nothing, with the areas that others serve."""
    root = namespace.rstrip('/')
    kinds = {'camera': f'{root}/camera/tracks', 'ftm': f'{root}/phones/<phone>/ftm',
             'imu': f'{root}/phones/<phone>/imu/data_raw'}
    matches = [MEASUREMENT_TOPIC.fullmatch(name) for name, _ in published]
    others = sorted({match[1] for match in matches if match} - {root})
    found = f'; there are measurements in {", ".join(others)}' if others else ''
    return f'no measurements on {", ".join(kinds[name] for name in modalities)}{found}'


def find_phone_topics(
    namespace: str, modalities: Iterable[str], published: Iterable[tuple[str, Iterable[str]]],
) -> Mapping[str, PhoneTopic]:
    """Select `<namespace>/phones/<phone>/<sensor>` of these modalities, by topic name."""
    pattern = re.compile(
        rf'{re.escape(namespace.rstrip("/"))}/phones/(\w+)/({"|".join(PHONE_SENSORS)})')
    matches = {name: (pattern.fullmatch(name), types) for name, types in published}
    topics = [PhoneTopic(name, match[1], PHONE_SENSORS[match[2]], tuple(types))
              for name, (match, types) in matches.items() if match]
    wanted = set(modalities)
    return {topic.name: topic for topic in topics if topic.sensor.modality in wanted}

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

"""Sources of the drivers of an area file, read without ROS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any

from utt_ros.drivers import camera, ftm, imu
from utt_ros.drivers.camera.detection import DetectionSettings, check_detector
from utt_ros.drivers.camera.pipeline import DetectionPipeline
from utt_ros.drivers.camera.tracking import TrackingSettings
from utt_ros.drivers.reader import ReaderSettings
from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.errors import SettingsError
from utt_ros.orchestration.launch_plan import AreaPlan
from utt_ros.parameter_files import read_node_parameters
from utt_ros.plugins import Registry
from utt_ros.settings import from_mapping

SOURCE_KINDS: Mapping[str, ModuleType] = {'camera': camera, 'ftm': ftm, 'imu': imu}


@dataclass(frozen=True, slots=True)
class DriverConfig:
    """Source of one driver, and settings of its reader."""

    kind: str
    name: str
    make: Callable[[], Source[Any]] | None  # None: only the node can
    phones: tuple[str, ...]  # expected phones; empty: any
    reader: ReaderSettings


def source_registry(kind: str) -> Registry[SourceEntry]:
    """Return the registry of a kind of sensor."""
    registry: Registry[SourceEntry] = SOURCE_KINDS[kind].SOURCES
    return registry


def read_driver_config(area: AreaPlan, kind: str) -> DriverConfig:
    """Read the configured source of an area's driver. Raises SettingsError."""
    parameters = read_node_parameters(area.parameter_files, f'{area.root}/{kind}')
    name = parameters.get('source', SOURCE_KINDS[kind].DEFAULT)
    if not isinstance(name, str):
        names = ', '.join(sorted(source_registry(kind).names()))
        raise SettingsError(f'source is {name!r}: it must be one of {names}')
    known = {item.name for item in fields(ReaderSettings)}
    reader = from_mapping(
        ReaderSettings, {key: parameters[key] for key in parameters if key in known})
    if kind == 'camera' and name in camera.NODE_SOURCES:
        return DriverConfig(kind, name, None, (), reader)
    entry = source_registry(kind)[name]
    settings = from_mapping(entry.settings, _strip_prefix(parameters, f'{name}.'))
    return DriverConfig(kind, name, lambda: _make(area, kind, name, settings, parameters),
                        _phones(settings), reader)


def _make(
    area: AreaPlan, kind: str, name: str, settings: Any, parameters: Mapping[str, Any],
) -> Source[Any]:
    entry = source_registry(kind)[name]
    source = entry.make(settings, area.settings)
    if kind != 'camera':
        return source
    detection = from_mapping(DetectionSettings, _strip_prefix(parameters, 'detection.'))
    check_detector(detection, name, entry)
    tracking = from_mapping(TrackingSettings, _strip_prefix(parameters, 'tracking.'))
    return DetectionPipeline(source, area.settings, detection, tracking)


def _phones(settings: Any) -> tuple[str, ...]:
    single = getattr(settings, 'phone', '')
    return (single,) if single else tuple(dict.fromkeys(getattr(settings, 'phones', ())))


def _strip_prefix(parameters: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value
            for name, value in parameters.items() if name.startswith(prefix)}

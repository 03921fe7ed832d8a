"""What an area file says of the sources of its drivers, for whom there is no ROS to ask."""

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
from utt_ros.orchestration.graph import AreaPlan
from utt_ros.settings import from_mapping, read_node_parameters

KINDS: Mapping[str, ModuleType] = {'camera': camera, 'ftm': ftm, 'imu': imu}
TOPICS = 'topics'  # the camera's source that is made of ROS


@dataclass(frozen=True, slots=True)
class Configured:
    """The source of one driver."""

    kind: str
    name: str
    make: Callable[[], Source[Any]] | None  # None: only its node can
    phones: tuple[str, ...]  # who is expected to be heard; empty when anybody may be
    reader: ReaderSettings


def sources_of(kind: str) -> Mapping[str, SourceEntry]:
    """The registry of a kind of sensor."""
    found: Mapping[str, SourceEntry] = KINDS[kind].SOURCES
    return found


def configured(area: AreaPlan, kind: str) -> Configured:
    """The source that an area's driver is told to read. Raises SettingsError.

    A setting that the source does not have is refused, which its node would not notice.
    """
    told = read_node_parameters(area.parameter_files, f'{area.root}/{kind}')
    name = told.get('source', KINDS[kind].DEFAULT)
    known = {item.name for item in fields(ReaderSettings)}
    reader = from_mapping(ReaderSettings, {key: told[key] for key in told if key in known})
    if (kind, name) == ('camera', TOPICS):
        return Configured(kind, name, None, (), reader)
    entries = sources_of(kind)
    if not isinstance(name, str) or name not in entries:
        raise SettingsError(
            f'source is {name!r}: it must be one of {", ".join(sorted(entries))}')
    settings = from_mapping(entries[name].settings, _below(told, f'{name}.'))
    return Configured(kind, name, lambda: _make(area, kind, name, settings, told),
                      _phones(settings), reader)


def _make(
    area: AreaPlan, kind: str, name: str, settings: Any, told: Mapping[str, Any],
) -> Source[Any]:
    source = sources_of(kind)[name].make(settings, area.settings)
    if kind != 'camera':
        return source
    detection = from_mapping(DetectionSettings, _below(told, 'detection.'))
    check_detector(detection, name)
    return DetectionPipeline(source, area.settings, detection,
                   from_mapping(TrackingSettings, _below(told, 'tracking.')))


def _phones(settings: Any) -> tuple[str, ...]:
    alone = getattr(settings, 'phone', '')
    return (alone,) if alone else tuple(dict.fromkeys(getattr(settings, 'phones', ())))


def _below(told: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): told[name] for name in told if name.startswith(prefix)}

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

"""Settings: frozen, validated dataclasses.

A field carries its description, unit and limits in its metadata, from which ROS parameter
descriptors, validation and the help of commands are derived.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from math import isfinite
from typing import Any, TypeVar

from utt_ros.access_point_list import (
    DEFAULT_AP_POSITION,
    MAX_AP_COORDINATE_M,
    AccessPoint,
    ap_name,
    check_access_points,
    read_access_points,
)
from utt_ros.errors import SettingsError
from utt_ros.map_origin import MAX_HEADING_DEG, MapOrigin, read_map_origin
from utt_ros.map_pose import MAP_FRAME, MAX_MAP_COORDINATE_M, MapPose, read_map_pose
from utt_ros.types import MODALITIES

MAX_INTEGER = 2**63 - 1  # of a parameter
NEAR = 0.6  # ratio of matching characters of a name that is suggested
AREA_NAME = re.compile(r'[A-Za-z]\w*', re.ASCII)
_T = TypeVar('_T')


def _warn(text: str) -> None:
    warnings.warn(text, FutureWarning, stacklevel=4)


def setting(
    default: Any, text: str, *, low: float | None = None, high: float | None = None,
    former: str = '', read: Callable[[str, Any], Any] | None = None,
) -> Any:
    """Declare a field with a description and, for numbers, inclusive limits.

    `former`: name of the field before it was renamed, accepted for one release. `read` converts
    the name and a mapping to the value of a field that is a tuple of pairs, and passes such ones.
    """
    metadata = {'text': text, 'low': low, 'high': high, 'former': former, 'read': read}
    if isinstance(default, list):
        raise TypeError('use a tuple: settings are frozen')
    return field(default=default, metadata=metadata)


def check(settings: Any) -> None:
    """Raise SettingsError for the first field that is not finite or outside its limits."""
    for item in fields(settings):
        low, high = item.metadata.get('low'), item.metadata.get('high')
        value = getattr(settings, item.name)
        numbers = value if isinstance(value, tuple) else (value,)
        for number in numbers:
            if isinstance(number, bool) or not isinstance(number, int | float):
                continue
            if isinstance(number, int) and abs(number) > MAX_INTEGER:
                raise SettingsError(f'{item.name} has more digits than a 64-bit integer holds')
            if not isfinite(number):
                raise SettingsError(f'{item.name} is {number}: it must be finite')
            if low is not None and number < low:
                raise SettingsError(f'{item.name} is {number}: it must be at least {low}')
            if high is not None and number > high:
                raise SettingsError(f'{item.name} is {number}: it must be at most {high}')


def from_mapping(
    cls: type[_T], values: Mapping[str, Any], warn: Callable[[str], object] = _warn,
) -> _T:
    """Build settings from names and values; lists become tuples.

    Raises SettingsError for unknown names and for values of another type. The former name of a
    renamed setting is accepted, with one message to `warn`.
    """
    known = {item.name: item for item in fields(cls)}  # type: ignore[arg-type]
    values = _renamed(known, values, warn)
    unknown = sorted(set(values) - set(known))
    if unknown:
        near = nearest_name(unknown[0], known)
        raise SettingsError(f'{cls.__name__} has no setting {unknown[0]!r}; '
                            + (f'did you mean {near!r}? It' if near else 'it')
                            + f' has {", ".join(sorted(known))}')
    return cls(**{name: _read_value(known[name], value) for name, value in values.items()})


def to_mapping(settings: Any) -> dict[str, Any]:
    """Return names and plain values of settings, as `from_mapping` and rcl read them.

    Empty lists, which rcl does not read, are left out.
    """
    plain: dict[str, Any] = {}
    for item in fields(settings):
        value = getattr(settings, item.name)
        if item.metadata.get('read'):
            value = {key: list(numbers) for key, numbers in value}
        elif isinstance(value, tuple):
            value = list(value)
        if value not in ([], {}):
            plain[item.name] = value
    return plain


def _read_value(item: Field[Any], value: Any) -> Any:
    read = item.metadata.get('read')
    return read(item.name, value) if read else _fit(item.name, value, item.default)


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like another one; empty when none is near."""
    return next(iter(get_close_matches(name, sorted(known), n=1, cutoff=NEAR)), '')


def _renamed(
    known: Mapping[str, Field[Any]], values: Mapping[str, Any], warn: Callable[[str], object],
) -> dict[str, Any]:
    """Return the values under the current names. Raises SettingsError when both are given."""
    current = dict(values)
    for name, item in known.items():
        former = item.metadata.get('former')
        if not former or former not in current:
            continue
        if name in current:
            raise SettingsError(f'{former} and {name} are both given: {former} is the former '
                                f'name of {name}, give {name} only')
        warn(f'{former} is now {name}; the former name is accepted for one release')
        current[name] = current.pop(former)
    return current


def _fit(name: str, value: Any, default: Any) -> Any:
    """Convert a value to the type of its default; an integer is accepted for a float."""
    if isinstance(value, list):
        value = tuple(value)
    if isinstance(default, float) and type(value) is int and abs(value) <= MAX_INTEGER:
        value = float(value)
    same = type(value) is type(default)
    if same and isinstance(default, tuple) and default:
        same = all(type(item) is type(default[0]) for item in value)
    if not same and default is not MISSING:
        form = 'a list' if default == () else f'of the form {default!r}'
        raise SettingsError(f'{name} is {_shown(value)}: it must be {form}')
    return value


def _shown(value: Any) -> str:
    """Return the start of a value's representation; of an integer without a 64-bit form, its size.

    Python refuses to print integers of more than some thousand digits.
    """
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return f'an integer of {value.bit_length()} bits'
    return f'{value!r:.200}'


@dataclass(frozen=True, slots=True)
class AreaSettings:
    """Geometry and sensors of one area, as measured by an installer."""

    area: str = setting('area', 'name of the area, the prefix of its topics and frames')
    modalities: tuple[str, ...] = setting(MODALITIES, 'sensors of the area')
    image_width: int = setting(1280, 'width of the camera image [px]', low=1, high=16384)
    image_height: int = setting(720, 'height of the camera image [px]', low=1, high=16384)
    fx: float = setting(528.365, 'focal length along x [px]', low=1.0, high=1e5)
    fy: float = setting(527.925, 'focal length along y [px]', low=1.0, high=1e5)
    cx: float = setting(638.925, 'principal point along x [px]', low=0.0, high=16384.0)
    cy: float = setting(359.2805, 'principal point along y [px]', low=0.0, high=16384.0)
    camera_height: float = setting(
        2.5, 'height of the camera above the floor [m]', low=0.1, high=100.0)
    camera_pitch: float = setting(
        0.20943951, 'angle of the optical axis below the horizon [rad]', low=-1.6, high=1.6)
    ap_position: tuple[float, ...] = setting(
        DEFAULT_AP_POSITION, 'access point in the area frame [m]; of several the first one',
        low=-MAX_AP_COORDINATE_M, high=MAX_AP_COORDINATE_M)
    access_points: tuple[AccessPoint, ...] = setting(
        (), 'positions of access points by the address that the FTM source reports, the one that '
        'models read first [m]', read=read_access_points)
    phone_height: float = setting(
        1.2, 'usual height of a carried phone above the floor [m]', low=0.0, high=3.0)
    person_height: float = setting(1.7, 'usual height of a person [m]', low=0.5, high=2.5)
    depth_error: float = setting(
        0.0, 'relative error of measured depths, in addition to that of a stereo camera',
        low=0.0, high=1.0)
    magnetic_yaw: float = setting(
        0.0, 'direction of the x axis, counter-clockwise from magnetic east [rad]',
        low=-6.3, high=6.3)
    map_pose: tuple[float, ...] = setting(
        (0.0, 0.0, 0.0), 'pose of the area frame in the frame map of the building: x, y [m] and '
        'yaw [rad], or x, y, z and yaw', low=-MAX_MAP_COORDINATE_M, high=MAX_MAP_COORDINATE_M)
    map_origin: tuple[float, ...] = setting(
        (), 'latitude and longitude of the origin of the frame map, and heading of its x axis, '
        'clockwise from true north [deg]', low=-MAX_HEADING_DEG, high=MAX_HEADING_DEG)

    def __post_init__(self) -> None:
        check(self)
        if not AREA_NAME.fullmatch(self.area):
            raise SettingsError(
                f'area is {self.area!r}: a letter, then letters, digits and underscores')
        if self.area == MAP_FRAME:
            raise SettingsError(f'area is {self.area!r}, which is the frame of the building: give '
                                'it another name')
        read_map_pose(self.map_pose)
        read_map_origin(self.map_origin)
        wrong = sorted(set(self.modalities) - set(MODALITIES))
        if wrong or not self.modalities:
            raise SettingsError(
                f'modalities are {list(self.modalities)}: one or more of {list(MODALITIES)}')
        if len(self.ap_position) != 3:
            raise SettingsError(
                f'ap_position has {len(self.ap_position)} numbers: it must have 3')
        if self.access_points:
            check_access_points(self.access_points)
            first = self.access_points[0]
            if self.ap_position not in (DEFAULT_AP_POSITION, first.position):
                raise SettingsError(
                    f'ap_position is {list(self.ap_position)}, but the first of access_points, '
                    f'{first.address!r}, is at {list(first.position)}: give one of them')
            object.__setattr__(self, 'ap_position', first.position)

    @property
    def pose_in_map(self) -> MapPose:
        """Pose of the area frame in the frame of the building."""
        return read_map_pose(self.map_pose)

    @property
    def origin_of_map(self) -> MapOrigin | None:
        """Geographic origin of the frame of the building; None where it is not given."""
        return read_map_origin(self.map_origin)

    @property
    def ap_addresses(self) -> tuple[str, ...]:
        """Addresses of the access points; empty for one whose address is not given."""
        return tuple(item.address for item in self.access_points)

    @property
    def ap_positions(self) -> tuple[tuple[float, ...], ...]:
        """Positions of the access points, at least one [m]."""
        return tuple(item.position for item in self.access_points) or (self.ap_position,)

    @property
    def ap_frames(self) -> tuple[str, ...]:
        """Frames of the access points; that of the first is <area>/ap."""
        others = (f'{self.area}/ap_{ap_name(item.address)}' for item in self.access_points[1:])
        return (f'{self.area}/ap', *others)

    def ap_frame(self, address: str) -> str:
        """Return the frame of an access point; of one that is not listed that of the first."""
        names = [each.lower() for each in self.ap_addresses]
        listed = address.lower() in names
        return self.ap_frames[names.index(address.lower()) if listed else 0]


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """Shape of a window, common to the whole federation, since models are exchanged."""

    period: float = setting(0.1, 'time between ticks [s]', low=0.01, high=2.0)
    ticks: int = setting(30, 'ticks in a window', low=4, high=512)
    imu_rows: int = setting(5, 'rows of IMU per tick after resampling', low=1, high=50)
    horizon: int = setting(
        30, 'ticks that a predicted trajectory extends into the future', low=1, high=512)

    def __post_init__(self) -> None:
        check(self)

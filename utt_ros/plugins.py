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

"""Registries: named extension points, filled by a call or by entry points of other packages."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from utt_ros.errors import SettingsError, UttError

Value = TypeVar('Value')


class Registry(Generic[Value]):
    """Values by name: built in, registered by a call, or an entry point of `group`.

    An entry point is looked up and imported when its name is first used, so another process, such
    as a node, finds it as well; a call of `register` holds in its own process only. Built-in
    and registered names precede entry points. Not for several threads.
    """

    def __init__(
        self, kind: str, group: str, builtin: Mapping[str, Value],
        error: type[UttError] = SettingsError,
    ) -> None:
        """`kind`: the noun in errors, of type `error`, such as 'fusor'."""
        self.kind, self.group, self._error = kind, group, error
        self._values = dict(builtin)

    def register(self, name: str, value: Value) -> None:
        """Add a value; raises the registry's error when another value has that name."""
        if not isinstance(name, str) or not name:
            raise self._error(f'name of a {self.kind} is {name!r}: it must be a text')
        if self._values.get(name, value) is not value:
            raise self._error(f'{self.kind} {name!r} is registered already')
        self._values[name] = value

    def extended(self, values: Mapping[str, Value]) -> 'Registry[Value]':
        """Return a copy with further values; raises as `register`."""
        extended = Registry(self.kind, self.group, self._values, self._error)
        for name, value in values.items():
            extended.register(name, value)
        return extended

    def __getitem__(self, name: str) -> Value:
        """Return a value; raises the registry's error, with all names, for an unknown one."""
        if name not in self._values:
            self._values[name] = self._load(name)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def names(self) -> list[str]:
        """Return built-in and registered names in their order, then those of entry points."""
        offered = entry_points(group=self.group).names
        return [*self._values, *sorted(offered - self._values.keys())]

    def _load(self, name: str) -> Value:
        offers = {item.value: item for item in entry_points(group=self.group, name=name)}
        if not offers:
            raise self._error(
                f'{self.kind} is {name!r}: it must be one of {", ".join(sorted(self.names()))}')
        if len(offers) > 1:
            raise self._error(f'{self.kind} {name!r} is offered more than once, '
                              f'by {", ".join(sorted(offers))}')
        reference, item = offers.popitem()
        try:
            value: Value = item.load()
        except Exception as err:  # whatever the import of another package raises
            raise self._error(f'{self.kind} {name!r} cannot be imported '
                              f'from {reference}: {type(err).__name__}: {err}') from err
        return self._values.setdefault(name, value)

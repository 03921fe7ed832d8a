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

"""Access points of an area: which of them a range is from, and which ranges are refused."""

from collections.abc import Sequence

MAX_NAMED_ADDRESSES = 8
MAX_SHOWN_ADDRESS_LENGTH = 32


class AccessPointSelector:
    """Selects the access point of each range by its address, whatever the case of its letters.

    An area with one access point accepts ranges of a source that names none. Where the address of
    that access point is not given, the first one heard is its address from then on.
    """

    def __init__(self, addresses: Sequence[str] = ()) -> None:
        self._count = max(len(addresses), 1)
        self._indices = {name.lower(): index for index, name in enumerate(addresses)}
        self._is_given = bool(addresses)
        self._refused: list[str] = []

    def select(self, address: str) -> int | None:
        """Return the index of an access point; None, and name it, when the area lacks it."""
        index = self._indices.get(address.lower())
        if index is None and self._count == 1 and not (address and self._indices):
            index = 0
            if address:
                self._indices[address.lower()] = index
        shown = address[:MAX_SHOWN_ADDRESS_LENGTH]
        if (index is None and shown not in self._refused
                and len(self._refused) < MAX_NAMED_ADDRESSES):
            self._refused.append(shown)
        return index

    def explain(self) -> str:
        """Return whose ranges are refused, and what to do."""
        named = [repr(name) if name else 'without an address' for name in self._refused]
        known = ', '.join(repr(name) for name in self._indices)
        text = f'ranges of access points {", ".join(named)} are refused: the area has {known}'
        if self._is_given:
            return f'{text}; list those as well, with their positions, in access_points'
        return (f'{text}, the first one heard; list each of them with its position in '
                'access_points')

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

"""Recognition of accepted updates that DDS delivers again to a new subscription."""

from dataclasses import replace

from utt_ros.federation.types import Update


class LatchedUpdates:
    """The newest accepted update of up to `max_areas` areas, without payloads.

    An area keeps its newest update for late subscribers. After a subscription is made anew, an
    accepted one is no second contribution, and not to be refused as such.
    """

    def __init__(self, max_areas: int) -> None:
        self._max_areas = max_areas
        self._accepted: dict[str, Update] = {}
        self._expected: dict[str, Update] = {}

    def resubscribe(self) -> None:
        """Expect each accepted update once more."""
        self._expected = dict(self._accepted)

    def is_repeated(self, update: Update) -> bool:
        """Return whether this is an expected repetition; true once per area."""
        return self._expected.pop(update.area, None) == replace(update, payload=b'')

    def accept(self, update: Update) -> None:
        """Remember an accepted update."""
        self._accepted.pop(update.area, None)
        self._accepted[update.area] = replace(update, payload=b'')
        if len(self._accepted) > self._max_areas:
            del self._accepted[next(iter(self._accepted))]

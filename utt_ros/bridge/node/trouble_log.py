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

"""Log of troubles that last: the first time at once, then once in a while."""

import re
from collections.abc import Callable

REPEAT_S = 60.0


class TroubleLog:
    """Logs each topic's text when it is new, and repeats it while it persists.

    Texts that differ in numbers only are the same.
    """

    def __init__(self, warn: Callable[[str], object]) -> None:
        self._warn = warn
        self._logged: dict[str, tuple[str, float, int]] = {}  # by topic: text, time, count

    def report(self, topic: str, text: str, now_s: float, count: int | None = None) -> None:
        """Report the current text of a topic; empty: none.

        With a count of events a text persists while the count grows.
        """
        if not text:
            return
        plain = re.sub(r'\d+', '0', text)
        last, last_s, last_count = self._logged.get(topic, ('', 0.0, -1))
        if plain == last and (now_s - last_s < REPEAT_S or count == last_count):
            return
        self._logged[topic] = plain, now_s, -1 if count is None else count
        self._warn(text)

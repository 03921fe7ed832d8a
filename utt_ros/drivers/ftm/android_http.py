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

"""FTM source: Android phones, by HTTP POST. See docs/sources/android_http.md."""

from utt_ros.drivers.ftm.android import AndroidSettings, AndroidSource
from utt_ros.drivers.source import SourceEntry
from utt_ros.settings import AreaSettings


def _make(settings: AndroidSettings, _area: AreaSettings) -> AndroidSource:
    from utt_ros.drivers.transport.http import HttpServer  # noqa: PLC0415  0.3 s, 9 MB

    return AndroidSource(settings, HttpServer)


ENTRY = SourceEntry(
    'Android RangingResult as JSON lines by HTTP POST', AndroidSettings, _make, lambda: '')

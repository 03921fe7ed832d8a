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

"""FTM sources: Wi-Fi fine time measurements of phones, boards and cards."""

from utt_ros.drivers.ftm import android_http, android_udp, esp_idf, gtec, iw
from utt_ros.drivers.source import SourceEntry
from utt_ros.plugins import Registry

SOURCES: Registry[SourceEntry] = Registry('source', 'utt_ros.ftm_sources', {
    'android_udp': android_udp.ENTRY,
    'android_http': android_http.ENTRY,
    'esp_idf': esp_idf.ENTRY,
    'gtec': gtec.ENTRY,
    'iw': iw.ENTRY,
})
DEFAULT = 'android_udp'

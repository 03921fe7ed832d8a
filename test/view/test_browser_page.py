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

"""The page: it begins with the script that lightens it in software."""

import urllib.request

import pytest

pytest.importorskip('viser', reason='viser is not installed')
import viser

from utt_ros.view.browser_page import HEAD, LIGHT_WEBGL, light_page


def test_servers_made_meanwhile_serve_the_script_before_all_others():
    make = viser.infra.WebsockServer
    with light_page():
        server = viser.ViserServer('127.0.0.1', 0, verbose=False)
    assert viser.infra.WebsockServer is make
    address = f'http://127.0.0.1:{server.get_port()}'
    with urllib.request.urlopen(address, timeout=10.0) as answer:
        page = answer.read()
    server.stop()
    assert page.index(b'<script') == page.index(HEAD + LIGHT_WEBGL) + len(HEAD)

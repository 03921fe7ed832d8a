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
"""Chromium without a window and without a GPU, driven by playwright: WebGL runs in software."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from utt_ros.errors import UttError

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
FLAGS = ('--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader',
         '--enable-unsafe-swiftshader')


@contextmanager
def open_chromium() -> Iterator[Any]:
    """Start the installed Chromium; yield it, a `Browser` of playwright. Raises UttError."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if find_spec('playwright') is None:
        raise UttError('playwright, which drives Chromium, is not installed: '
                       'pip install playwright')
    if program is None:
        raise UttError(f'none of {", ".join(NAMES)} is installed: apt install chromium')
    api: Any = import_module('playwright.sync_api')
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()

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

"""Frames of a page in Chromium, by playwright; WebGL is computed in software."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from utt_ros.errors import UttError

CHROMIUM_NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
SOFTWARE_WEBGL = ('--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader',
                  '--enable-unsafe-swiftshader')
WINDOW_PX = (1100, 640)
WAIT_MS = 120_000
COUNT_FRAMES = """seconds => new Promise(done => {
    const counts = Array(seconds).fill(0), begin = performance.now();
    const count = now => {
        const second = Math.floor((now - begin) / 1000);
        if (second >= seconds) { done(counts); return; }
        counts[Math.max(second, 0)] += 1;
        requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
})"""


@contextmanager
def open_chromium() -> Iterator[Any]:
    """Start Chromium. Raises UttError where it, or playwright, is missing."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an optional package
    except ImportError as err:
        raise UttError(
            'frames are counted in Chromium by playwright, which is not installed') from err
    program = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if program is None:
        raise UttError('frames are counted in Chromium: none of '
                       f'{", ".join(CHROMIUM_NAMES)} is installed')
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(SOFTWARE_WEBGL))
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Any, address: str) -> Any:
    """Open a view and wait until its scene is there."""
    page = browser.new_page(viewport=dict(zip(('width', 'height'), WINDOW_PX, strict=True)))
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.wait_for_selector('canvas')
    return page


def count_frames(page: Any, seconds: int) -> list[int]:
    """Return the frames that the browser drew in each of so many seconds."""
    return [int(count) for count in page.evaluate(COUNT_FRAMES, seconds)]

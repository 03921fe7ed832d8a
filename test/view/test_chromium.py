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

"""`utt view` in Chromium: people move, time can be moved, and the page is without an error.

With UTT_SCREENSHOTS=DIR the pictures of docs/view.md are written there.
"""

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from utt_ros.view.scene_drawing import SEEN

pytest.importorskip('viser', reason='viser is not installed')
pytestmark = pytest.mark.slow
WAIT_MS = 60_000
COLOR_DISTANCE = 60
COLORED_PIXELS = """() => [...document.querySelectorAll('.uplot canvas')].map(canvas => {
    if (!canvas.width) return 0;  // not laid out yet
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
        const color = data.slice(i, i + 3);
        count += data[i + 3] > 128 && Math.max(...color) - Math.min(...color) > 60;
    }
    return count;
}).reduce((one, other) => Math.max(one, other), 0)"""  # grids and texts are grey
IS_ANTIALIASED = """() =>
    document.querySelector('canvas').getContext('webgl2').getContextAttributes().antialias"""
MIDDLE = slice(330, 750)  # columns between the notes on the left and the panel on the right


@pytest.fixture
def address(evening):
    """Serve the bag; the process ends with the test."""
    process = subprocess.Popen(
        [sys.executable, '-c', 'import sys; from utt_ros.cli.main import main; sys.exit(main())',
         'view', str(evening), '--port', '0'], stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().split()[0]
    process.terminate()
    assert process.wait(20.0) == 0


def body(page):
    """Return the mean place of the pixels of the person that a camera sees; None without one."""
    shot = Image.open(BytesIO(page.locator('canvas').first.screenshot())).convert('RGB')
    middle = np.asarray(shot).astype(int)[:, MIDDLE]
    rows, columns = np.nonzero(np.abs(middle - SEEN).max(axis=2) < COLOR_DISTANCE)
    return np.array([columns.mean(), rows.mean()]) if len(rows) > 20 else None


def distance(page, place):
    """Return how far the person is from a place [px]; 0 while nobody is shown."""
    now = body(page)
    return 0.0 if now is None else float(np.abs(now - place).max())


def is_still(page, shown):
    """Look once more; whether the last three looks showed the person at one place."""
    place = body(page)
    if place is not None:
        shown.append(place)
    return len(shown) > 2 and np.ptp(shown[-3:], axis=0).max() < 0.5


def keep(page, name):
    """Write a picture for the documents where that is asked for."""
    if 'UTT_SCREENSHOTS' in os.environ:
        page.screenshot(path=Path(os.environ['UTT_SCREENSHOTS']) / f'view_{name}.png')


@pytest.fixture
def page(chromium, address):
    """Open the page; the test fails with the errors of its console."""
    opened = chromium.new_page(viewport={'width': 1100, 'height': 640})
    errors = []
    opened.on('pageerror', lambda error: errors.append(str(error)))
    opened.on('console', lambda line: errors.append(line.text) if line.type == 'error' else None)
    opened.set_default_timeout(WAIT_MS)
    opened.goto(address)
    opened.wait_for_selector('canvas')
    yield opened
    assert not errors


def test_people_move_time_is_moved_and_signals_are_plotted(page, wait_until):
    wait_until(lambda: body(page) is not None, WAIT_MS / 1000)
    assert not page.evaluate(IS_ANTIALIASED)  # in software that takes a core tens of milliseconds
    slider, shown = page.get_by_role('slider').first, []
    slider.press('End')
    page.get_by_role('button', name='Play').wait_for()  # it has ended
    wait_until(lambda: is_still(page, shown), WAIT_MS / 1000)
    slider.press('Home')
    wait_until(lambda: distance(page, shown[-1]) > 25.0, WAIT_MS / 1000)
    keep(page, 'people')
    first = body(page)
    page.get_by_role('button', name='Play').click()
    wait_until(lambda: distance(page, first) > 25.0, WAIT_MS / 1000)
    page.get_by_text('ann').first.wait_for()
    page.get_by_role('tab', name='Signals').click()
    page.get_by_label('person').click()
    page.get_by_role('option', name='ann').click()
    page.get_by_text('measured and synthesized').click()
    page.locator('.uplot').first.wait_for()
    slider.press('End')  # signals are kept from the choice on: play all after it
    page.get_by_role('button', name='Play').wait_for()
    slider.press('Home')
    page.get_by_role('button', name='Play').click()
    page.wait_for_function(f'({COLORED_PIXELS})() > 100', polling=500)  # of lines
    keep(page, 'signals')
    page.get_by_role('tab', name='Twins').click()
    page.get_by_text('└─ hall_position_2').wait_for()
    page.set_viewport_size({'width': 390, 'height': 780})
    assert page.get_by_role('tab', name='Twins').is_visible()
    keep(page, 'phone')

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

"""A machine without Chromium, or without what drives it, is told so in one sentence."""

import sys

import pytest

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import browser_frames
from utt_ros.evaluation.benchmarks.browser_frames import open_chromium


def test_playwright_that_is_missing_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'playwright.sync_api', None)
    with pytest.raises(UttError, match='by playwright, which is not installed'), open_chromium():
        pass


def test_chromium_that_is_missing_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('playwright.sync_api', reason='playwright is not installed')
    monkeypatch.setattr(browser_frames.shutil, 'which', lambda _: None)
    with pytest.raises(UttError, match=r'none of chromium, .* is installed'), open_chromium():
        pass

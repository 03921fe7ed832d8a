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

"""The names that `import utt_ros` offers: there, documented, and without torch until needed."""

import subprocess
import sys
from pathlib import Path

import pytest

import utt_ros

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize('name', utt_ros.__all__)
def test_offered_name_exists_and_is_documented(name: str) -> None:
    assert getattr(utt_ros, name).__name__ == name
    assert name in dir(utt_ros)
    assert f'`{name}' in (ROOT / 'docs/api.md').read_text(encoding='utf-8')


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'utt_ros' has no attribute 'nonsense'"):
        utt_ros.nonsense  # noqa: B018


def test_reading_and_synchronizing_load_neither_torch_nor_ros() -> None:
    code = ('import sys; from utt_ros import TwinEngine, cut_windows, read_session, synchronize; '
            'sys.exit(bool({"torch", "rclpy"} & sys.modules.keys()))')
    assert subprocess.run([sys.executable, '-c', code], cwd=ROOT, timeout=200).returncode == 0

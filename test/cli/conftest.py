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

"""A model as `utt train` writes it."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from utt_ros.cli.main import main


@pytest.fixture(scope='session')
def trained(sessions: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Train one step, centralised, with the fusor max; return the model file and the output."""
    path, printed = tmp_path_factory.mktemp('trained') / 'model.safetensors', StringIO()
    with redirect_stdout(printed):
        assert main(['train', '--data', str(sessions), '--out', str(path), '--rounds', '1',
                     '--steps', '1', '--plan', 'centralised', '--fusor', 'max']) == 0
    return path, printed.getvalue()

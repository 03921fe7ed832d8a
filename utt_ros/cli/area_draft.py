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

"""Draft of an area file: settings of the area and of its drivers, written when it is complete."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from utt_ros.files import write_atomically
from utt_ros.orchestration.launch_plan import DRIVERS_PARAMETER, AreaPlan, read_area_plan
from utt_ros.parameter_files import AREA_FILE, EVERY_NODE
from utt_ros.parameter_yaml import dump_yaml
from utt_ros.settings import AreaSettings, from_mapping
from utt_ros.types import MODALITIES

HEADER = '# Written by `utt setup`; config/area.yaml lists all other parameters.\n'


@dataclass(slots=True)
class AreaDraft:
    """Values of the block of every node, and blocks of single nodes."""

    values: dict[str, Any]
    blocks: dict[str, dict[str, Any]] = field(default_factory=dict)  # by node

    def set_driver(self, kind: str, block: Mapping[str, Any] | None) -> None:
        """Set the block of a driver; None: the area has no such sensor."""
        self.blocks.pop(kind, None)
        if block is not None:
            self.blocks[kind] = dict(block)
        drivers = [name for name in MODALITIES if name in self.blocks]
        self.values |= {DRIVERS_PARAMETER: drivers, 'modalities': drivers or list(MODALITIES)}

    @property
    def settings(self) -> AreaSettings:
        """Settings of the area. Raises SettingsError."""
        return from_mapping(AreaSettings, {
            name: value for name, value in self.values.items() if name != DRIVERS_PARAMETER})

    def text(self) -> str:
        """Return the content of the area file."""
        blocks = {EVERY_NODE: self.values,
                  **{f'/**/{name}': block for name, block in self.blocks.items()}}
        return HEADER + dump_yaml(
            {name: {'ros__parameters': values} for name, values in blocks.items()})

    @contextmanager
    def plan(self) -> Iterator[AreaPlan]:
        """Read the draft as `utt run` reads the file. Raises SettingsError."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, AREA_FILE)
            path.write_text(self.text(), encoding='utf-8')
            yield read_area_plan(path)

    def write(self, path: Path) -> None:
        """Write the area file, once it can be read. Raises SettingsError, OSError."""
        with self.plan():
            pass
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, self.text().encode())

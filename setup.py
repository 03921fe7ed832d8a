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

"""Build step of `pip install .`: CMake generates the interfaces against the ROS wheels.

What CMake installs is taken as it is: Python joins our package, and the rest (libraries, nodes,
launch files, the marks by which ROS tools find a package) goes below the prefix.
"""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
NAME = 'utt_ros'


def version() -> str:
    """Read the version from package.xml, its only place."""
    package = ET.parse(HERE / 'package.xml')  # noqa: S314 - our own file
    return str(package.findtext('version'))


def ros_prefix() -> Path:
    """Find the prefix of the ROS that the interfaces are generated with."""
    spec = find_spec('rosidl_adapter')
    if spec is None or not spec.origin:
        raise SystemExit('rosidl_adapter is missing: install the packages of [build-system] first')
    return Path(spec.origin).parents[4]  # PREFIX/lib/pythonX.Y/site-packages/rosidl_adapter


class BuildInterfaces(build_ext):
    """Run CMake and hand on what it installs."""

    def run(self) -> None:
        """Build into a stage and spread it over the package and the prefix."""
        if self.editable_mode:
            raise SystemExit('an editable install is what `make setup` makes')
        build = Path(self.build_temp).resolve()
        stage = build / 'stage'
        shutil.rmtree(stage, ignore_errors=True)
        self.run_cmake(build / 'cmake', stage)
        package = next(stage.rglob(f'{NAME}/msg/__init__.py')).parents[1]
        shutil.copytree(
            package,
            Path(self.build_lib) / NAME,
            ignore=shutil.ignore_patterns('__pycache__', '*.c'),
            dirs_exist_ok=True,
        )
        for other in (package.parent, stage / 'bin'):  # pip makes its own metadata and commands
            shutil.rmtree(other)
        # pip's build environment is gone afterwards, so it is no parent of this prefix
        (stage / 'share/ament_index/resource_index/parent_prefix_path' / NAME).write_text('')
        folders = defaultdict(list)
        for file in sorted(path for path in stage.rglob('*') if path.is_file()):
            folders[str(file.parent.relative_to(stage))].append(os.path.relpath(file, HERE))
        self.distribution.data_files = list(folders.items())

    def run_cmake(self, build: Path, stage: Path) -> None:
        """Configure, build and install the interfaces below `stage`."""
        prefix = str(ros_prefix())
        environment = {**os.environ, 'AMENT_PREFIX_PATH': prefix, 'CMAKE_PREFIX_PATH': prefix}
        settings = (
            f'-DCMAKE_INSTALL_PREFIX={stage}',
            f'-DPython3_EXECUTABLE={sys.executable}',
            '-DCMAKE_BUILD_TYPE=Release',
            '-DBUILD_TESTING=OFF',
        )
        for command in (
            ('cmake', '-S', str(HERE), '-B', str(build), '-G', 'Ninja', *settings),
            ('cmake', '--build', str(build)),
            ('cmake', '--install', str(build)),
        ):
            subprocess.run(command, check=True, env=environment)


setup(
    version=version(),
    ext_modules=[Extension(f'{NAME}.msg', sources=[])],  # the wheel is for one Python, one machine
    cmdclass={'build_ext': BuildInterfaces},
)

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

"""Environment variables with which no node can start."""

import os
import sys
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.orchestration.spec import PACKAGE_NAME

MIDDLEWARE_INDEX = 'share/ament_index/resource_index/rmw_typesupport'
CHECKOUT = Path(__file__).parents[2]
MAX_DOMAIN_ID = 232  # beyond it the ports of DDS exceed 65535 [S]


def check_environment() -> None:
    """Raise SettingsError for a variable of the environment with which no node can start."""
    _check_middleware(os.environ.get('RMW_IMPLEMENTATION', ''))
    domain = os.environ.get('ROS_DOMAIN_ID', '')
    number = int(domain) if domain.isascii() and domain.isdigit() else -1
    if domain and not 0 <= number <= MAX_DOMAIN_ID:
        raise SettingsError(
            f'ROS_DOMAIN_ID is {domain!r}: it must be an integer in 0..{MAX_DOMAIN_ID}')
    _check_log_folder()


def installation_prefixes() -> list[Path]:
    """Return the prefixes of ROS packages: those of AMENT_PREFIX_PATH, and that of Python."""
    names = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    return [Path(name) for name in names if name]


def shared_file(name: str) -> Path:
    """Return the path of a file of share/utt_ros, or of the checkout.

    Raises SettingsError when neither exists.
    """
    candidates = [prefix / 'share' / PACKAGE_NAME / name for prefix in installation_prefixes()]
    for path in (*candidates, CHECKOUT / name):
        if path.is_file():
            return path
    raise SettingsError(f'{name} is not installed')


def check_writable(folder: Path, content: str) -> None:
    """Raise SettingsError when a folder, which may be a new one, cannot be written."""
    whole = folder.absolute()
    existing = next(path for path in (whole, *whole.parents) if os.path.exists(path))  # noqa: PTH110 - Path.exists raises where a parent cannot be searched
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise SettingsError(f'{content} cannot be written to {folder}')


def _check_middleware(name: str) -> None:
    """Raise SettingsError for a middleware that is not among the installed ones."""
    installed = sorted({
        path.name for prefix in installation_prefixes()
        for path in (prefix / MIDDLEWARE_INDEX).glob('rmw_*')
        if path.name != 'rmw_implementation'})
    if name and installed and name not in installed:
        raise SettingsError(
            f'RMW_IMPLEMENTATION is {name!r}, which is not installed (there is '
            f'{", ".join(installed)}): run `unset RMW_IMPLEMENTATION`, or install it')


def _check_log_folder() -> None:
    """Raise SettingsError when nodes cannot write their logs, since they do not start then."""
    home = os.environ.get('ROS_HOME', '') or Path('~/.ros')
    folder = Path(os.environ.get('ROS_LOG_DIR', '') or Path(home, 'log'))
    try:
        folder = folder.expanduser().absolute()
    except RuntimeError as err:  # a user without an entry in the system's table, and no HOME
        raise SettingsError(f'there is no home folder for {folder}: set HOME, or ROS_LOG_DIR and '
                            'the folders of state and keys') from err
    try:
        check_writable(folder, 'logs of nodes')
    except SettingsError as err:
        raise SettingsError(f'{err}: set ROS_LOG_DIR to a folder that can be written') from err

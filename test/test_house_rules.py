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

"""Rules of the house that no linter checks: prints, asserts, and lists that must agree."""

import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from utt_ros.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'utt_ros'

ROS = re.compile(
    r'(rclpy|launch|launch_ros|message_filters|cv_bridge|tf2_ros|ament_index_python|rosidl_\w+|'
    r'builtin_interfaces|rcl_interfaces|std_srvs|\w+_msgs|utt_ros\.(msg|srv|action|bridge|nodes))(\.|$)'
)
DISTRIBUTIONS = {
    'cv2': 'opencv-python-headless', 'PIL': 'pillow', 'pytest_timeout': 'pytest-timeout',
    'serial': 'pyserial', 'yaml': 'pyyaml'}


class Module:
    """One parsed file of the package."""

    def __init__(self, path: Path) -> None:
        self.path = path
        parts = path.relative_to(ROOT).with_suffix('').parts
        self.name = '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)
        self.room = parts[1] if len(parts) > 2 else ''
        self.tree = ast.parse(path.read_text(encoding='utf-8'))
        self.imports = list(self._imports())

    def at(self, line: int) -> str:
        """Name a place as an editor opens it."""
        return f'{self.path.relative_to(ROOT)}:{line}'

    def _imports(self) -> Iterator[tuple[str, int]]:
        """Yield each imported name and its line; what comes from a package is a name in it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, node.lineno
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f'{self.at(node.lineno)}: relative import'
                for alias in node.names:
                    yield f'{node.module}.{alias.name}', node.lineno


@cache
def modules() -> dict[str, Module]:
    found = (Module(path) for path in sorted(PACKAGE.rglob('*.py')))
    return {module.name: module for module in found}


def test_only_the_command_line_prints() -> None:
    found = [
        module.at(node.lineno)
        for module in modules().values()
        if module.room != 'cli'
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'print'
    ]
    assert not found


def test_no_assert_guards_the_package() -> None:
    found = [
        module.at(node.lineno)
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assert)
    ]
    assert not found


def test_every_package_that_is_imported_is_declared() -> None:
    declared = (ROOT / 'pyproject.toml').read_text(encoding='utf-8').lower()
    modules_of_tests = (Module(path) for path in (ROOT / 'test').rglob('*.py'))
    known = {*sys.stdlib_module_names, 'utt_ros'}
    found = [
        f'{module.at(line)}: {top}'
        for module in (*modules().values(), *modules_of_tests)
        for name, line in module.imports
        if (top := name.split('.')[0]) not in known
        if not ROS.match(name)
        if not re.search(rf'^  "{DISTRIBUTIONS.get(top, top)}\b', declared, re.MULTILINE)
    ]
    assert not found


def attributes(cls: ast.ClassDef) -> tuple[set[str], dict[str, int]]:
    """Return the names that a class defines, and those that it reads of `self`, with lines."""
    of_self = [node for node in ast.walk(cls) if isinstance(node, ast.Attribute)
               and isinstance(node.value, ast.Name) and node.value.id == 'self']
    changed = {id(node.target) for node in ast.walk(cls) if isinstance(node, ast.AugAssign)}
    defined = {node.attr for node in of_self
               if isinstance(node.ctx, ast.Store) and id(node) not in changed}
    for node in cls.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {target.id for target in targets if isinstance(target, ast.Name)}
    read = {node.attr: node.lineno for node in of_self
            if isinstance(node.ctx, ast.Load) or id(node) in changed}
    return defined, read


def bases(module: Module, cls: ast.ClassDef) -> Iterator[tuple[Module | None, ast.ClassDef]]:
    """Yield all bases of a class that the package or ROS defines; the latter without a module."""
    imported = {name.rpartition('.')[2]: name for name, _ in module.imports}
    for base in cls.bases:
        name = ast.unparse(base).partition('[')[0]
        home, _, name = imported.get(name, f'{module.name}.{name}').rpartition('.')
        if home in modules():
            for node in modules()[home].tree.body:
                if isinstance(node, ast.ClassDef) and node.name == name:
                    yield modules()[home], node
                    yield from bases(modules()[home], node)
        elif ROS.match(home):
            for each in getattr(importlib.import_module(home), name).__mro__:
                if ROS.match(each.__module__):
                    source = textwrap.dedent(inspect.getsource(each))
                    yield None, ast.parse(source).body[0]  # type: ignore[misc]


def undefined_attributes(module: Module) -> list[str]:
    """List what classes with a base of ROS read of `self` and neither they nor bases define.

    A type checker takes all of it for granted, since ROS has no types.
    """
    found = []
    for cls in module.tree.body:
        if not isinstance(cls, ast.ClassDef):
            continue
        of_bases = list(bases(module, cls))
        if all(home is not None for home, _ in of_bases):
            continue
        defined, read = attributes(cls)
        defined = defined.union(*(attributes(base)[0] for _, base in of_bases))
        found += [f'{module.at(line)}: self.{name}' for name, line in read.items()
                  if name not in defined and not name.startswith('__')]
    return found


def test_nodes_read_only_attributes_that_they_or_their_bases_define() -> None:
    checked = [module for module in modules().values() if module.room in {'nodes', 'bridge'}]
    assert not [each for module in checked for each in undefined_attributes(module)]


def test_an_attribute_that_no_base_of_a_node_defines_is_found() -> None:
    module = Module(PACKAGE / 'nodes' / 'trainer_node.py')
    module.tree = ast.parse(
        'class TrainerNode(ManagedNode):\n'
        '    def __init__(self):\n'
        '        super().__init__("trainer")\n'
        '        self._ticks = 0\n'
        '    def _count(self):\n'
        '        self._ticks += 1\n'
        '        self._refused += 1\n'
        '        self.get_logger().info(f"{self._area} {self.is_active} {self._diagnostics}")\n')
    assert undefined_attributes(module) == [
        'utt_ros/nodes/trainer_node.py:7: self._refused',
        'utt_ros/nodes/trainer_node.py:8: self._area']


def cmake() -> str:
    return (ROOT / 'CMakeLists.txt').read_text(encoding='utf-8')


def test_every_interface_is_built() -> None:
    files = {f'{kind}/{path.name}' for kind in ('msg', 'srv', 'action')
             for path in (ROOT / kind).glob(f'*.{kind}')}
    assert not set(re.findall(r'"((?:msg|srv|action)/\w+\.\w+)"', cmake())) ^ files


def test_every_node_has_an_executable_and_every_executable_a_main() -> None:
    listed = re.search(r'set\(nodes ([\w\s]+)\)', cmake())
    assert listed, 'CMakeLists.txt: no line set(nodes ...)'
    with_main = {
        module.path.stem.removesuffix('_node')
        for module in modules().values()
        if module.room == 'nodes'
        and any(getattr(node, 'name', '') == 'main' for node in module.tree.body)
    }
    assert not set(listed[1].split()) ^ with_main


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    version = ET.parse(ROOT / 'package.xml').findtext('version')
    changelog = (ROOT / 'CHANGELOG.rst').read_text(encoding='utf-8')
    released = re.search(r'^(Forthcoming|[0-9.]+ \(.+\))\n-+$', changelog, re.MULTILINE)
    assert released, 'CHANGELOG.rst: no heading like "1.2.3 (2026-01-31)"'
    assert released[1].split()[0] in {version, 'Forthcoming'}


def test_what_a_ros_installation_lacks_is_pinned_as_in_the_lock() -> None:
    lock = (ROOT / 'requirements.lock').read_text(encoding='utf-8').splitlines()
    short = (ROOT / 'requirements.txt').read_text(encoding='utf-8').splitlines()
    assert not [line for line in short if '==' in line.split(';')[0] and line not in lock]


def commands_in_documents() -> Iterator[tuple[str, str]]:
    """Yield the place and text of each command line in a code block of the documents."""
    for path in sorted([*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md')]):
        inside = False
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            if line.lstrip().startswith('```'):
                inside = not inside
            elif inside:
                yield f'{path.relative_to(ROOT)}:{number}', line.strip().removeprefix('$ ')


def unknown_commands(pattern: str, known: set[str]) -> list[str]:
    return [
        f'{place}: {found[1]}'
        for place, line in commands_in_documents()
        if (found := re.match(pattern, line)) and found[1] not in known
    ]


def test_commands_of_the_documents_exist() -> None:
    makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
    targets = re.findall(r'^([a-z]+):', makefile, re.MULTILINE)
    launch_files = {path.name for path in (ROOT / 'launch').iterdir()}
    assert not unknown_commands(r'make ([a-z]+)\b', set(targets))
    assert not unknown_commands(r'(?:\S*/)?utt ([a-z]+)\b', set(COMMANDS))
    assert not unknown_commands(r'ros2 launch utt_ros (\S+)', launch_files)


def pages(entry: Any) -> Iterator[str]:
    """Yield the pages below an entry of the navigation."""
    if isinstance(entry, str):
        yield entry
    else:
        for part in entry.values() if isinstance(entry, dict) else entry:
            yield from pages(part)


def test_every_page_of_docs_is_in_the_navigation_of_the_site_once() -> None:
    navigation = yaml.safe_load((ROOT / 'mkdocs.yml').read_text(encoding='utf-8'))['nav']
    of_docs = [str(path.relative_to(ROOT / 'docs')) for path in (ROOT / 'docs').rglob('*.md')]
    assert sorted(pages(navigation)) == sorted(of_docs), 'see nav in mkdocs.yml'


def test_every_package_of_an_extra_is_locked() -> None:
    project = (ROOT / 'pyproject.toml').read_text(encoding='utf-8')
    section = re.search(
        r'^\[project\.optional-dependencies\]\n(.*?)^\[', project, re.MULTILINE | re.DOTALL)
    assert section
    locks = (ROOT / name for name in ('requirements.lock', 'requirements-dev.lock'))
    locked = {line.split('==')[0] for lock in locks for line in lock.read_text().splitlines()}
    named = {name.lower() for name in re.findall(r'^  "([\w-]+)', section[1], re.MULTILINE)}
    assert named
    assert not named - locked

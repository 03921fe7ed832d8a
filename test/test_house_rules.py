"""Rules of the house that no linter knows: who may import what, and lists that agree."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from utt_ros.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'utt_ros'

ROS = re.compile(
    r'(rclpy|launch|launch_ros|message_filters|cv_bridge|tf2_ros|ament_index_python|rosidl_\w+|'
    r'builtin_interfaces|rcl_interfaces|std_srvs|\w+_msgs|utt_ros\.(msg|bridge|nodes))(\.|$)'
)
TORCH = re.compile(r'torch(\.|$)')
DISTRIBUTIONS = {'cv2': 'opencv-python-headless', 'serial': 'pyserial', 'yaml': 'pyyaml'}
# The bench drives a naive pipeline beside ours, so it speaks ROS and torch as the nodes do.
OUTER_ROOMS = {'bridge', 'nodes', 'cli', 'demo'}
LEARNING_ROOMS = {'models', 'training', 'evaluation'}
# Loaded by name, and only by an aggregator that was told to have an adaptive server.
ADAPTIVE_SERVERS = 'utt_ros.federation.server_optimizers'


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


def loaded_by(name: str) -> Iterator[str]:
    """Yield the modules of the package that importing a name loads: its parents and itself."""
    parts = name.split('.')
    for length in range(1, len(parts) + 1):
        if (module := '.'.join(parts[:length])) in modules():
            yield module


def reach(start: Module) -> Iterator[tuple[str, str]]:
    """Yield everything that importing a module imports, each with the place of its import."""
    todo, seen = [start], {start.name}
    while todo:
        module = todo.pop()
        for name, line in module.imports:
            yield name, module.at(line)
            for loaded in loaded_by(name):
                if loaded not in seen:
                    seen.add(loaded)
                    todo.append(modules()[loaded])


def who_imports(pattern: re.Pattern[str], allowed: set[str]) -> list[str]:
    return [
        f'{module.at(line)}: imports {name}'
        for module in modules().values()
        if not {module.room, module.name} & allowed
        for name, line in module.imports
        if pattern.match(name)
    ]


def who_reaches(pattern: re.Pattern[str], starts: list[Module]) -> list[str]:
    return [
        f'{start.at(1)}: reaches {name} by way of {place}'
        for start in starts
        for name, place in reach(start)
        if pattern.match(name)
    ]


def core() -> list[Module]:
    return [module for module in modules().values() if module.room not in OUTER_ROOMS]


def test_only_the_outer_rooms_import_ros() -> None:
    assert not who_imports(ROS, {'bridge', 'nodes', 'bench'})


def test_the_core_does_not_reach_ros_through_another_room() -> None:
    assert not who_reaches(ROS, core())


def test_only_the_rooms_that_learn_import_torch() -> None:
    assert not who_imports(TORCH, LEARNING_ROOMS | {'bench', ADAPTIVE_SERVERS})


def test_what_runs_live_never_loads_torch() -> None:
    live = {'utt_ros.nodes.' + name for name in ('sync', 'twin', 'player', 'recorder')}
    allowed = LEARNING_ROOMS | {ADAPTIVE_SERVERS}
    starts = [
        module
        for module in modules().values()
        if module.name in live
        or (module in core() and not {module.room, module.name} & allowed)
    ]
    assert not who_reaches(TORCH, starts)


def test_only_the_twin_imports_onnxruntime() -> None:
    assert not who_imports(re.compile(r'onnxruntime(\.|$)'), {'twin'})


@pytest.mark.parametrize('room', ['nodes', 'cli'])
def test_nothing_imports_a_front_end(room: str) -> None:
    assert not who_imports(re.compile(rf'utt_ros\.{room}(\.|$)'), {room})


@pytest.mark.parametrize('room', ['demo', 'bench'])
def test_only_the_command_line_imports_the_demo_and_the_bench(room: str) -> None:
    assert not who_imports(re.compile(rf'utt_ros\.{room}(\.|$)'), {room, 'cli'})


def test_only_the_importer_of_strange_files_knows_pickle() -> None:
    assert not who_imports(re.compile(r'(pickle|cPickle|dill|cloudpickle)(\.|$)'), {'sessions'})


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


def cmake() -> str:
    return (ROOT / 'CMakeLists.txt').read_text(encoding='utf-8')


def test_every_message_is_built() -> None:
    files = {f'msg/{path.name}' for path in (ROOT / 'msg').glob('*.msg')}
    assert not set(re.findall(r'"(msg/\w+\.msg)"', cmake())) ^ files


def test_every_node_has_an_executable_and_every_executable_a_main() -> None:
    listed = re.search(r'set\(nodes ([\w\s]+)\)', cmake())
    assert listed, 'CMakeLists.txt: no line set(nodes ...)'
    with_main = {
        module.path.stem
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
    for path in sorted([*ROOT.glob('*.md'), *(ROOT / 'docs').glob('*.md')]):
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

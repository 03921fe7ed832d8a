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

"""Rules of names and words: one word, one place, and each module with tests of its name."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'utt_ros'

# Base names that stand in several rooms, because each room has one of its own kind.
SHARED_FILE_NAMES = {'__init__', 'settings', 'types'}

# Public names with several definitions, because a loader looks them up by name in each module.
SHARED_PUBLIC_NAMES = {
    'main': 'the entry point of an executable',
    'configure': 'the arguments of a command of `utt`',
    'run': 'a command of `utt`',
    'ENTRY': 'the registration of a sensor source',
}

# Modules without a test file of their own name, and where their promises are tested.
TESTED_ELSEWHERE = {
    'utt_ros/association/translator.py': 'a protocol and a record',
    'utt_ros/bridge/launch.py': 'test/launch, with the real launch',
    'utt_ros/bridge/node/association_model.py': 'test/nodes/test_sync_matching.py',
    'utt_ros/bridge/node/phone_driver.py': 'test/nodes/test_ftm_node.py',
    'utt_ros/bridge/node/qos.py': 'constants',
    'utt_ros/bridge/node/operation_actions.py': 'test/nodes/test_trainer_operations.py',
    'utt_ros/cli/operation_output.py': 'test_operation_commands.py',
    'utt_ros/demo/scratch_training.py': 'test_operation_costs.py',
    'utt_ros/drivers/ftm/android_http.py': 'an entry; test_android.py',
    'utt_ros/drivers/ftm/android_udp.py': 'an entry; test_android.py',
    'utt_ros/drivers/ftm/calibration_plot.py': 'test/cli/test_calibrate.py',
    'utt_ros/drivers/ftm/gtec.py': 'an entry; test_boards.py',
    'utt_ros/drivers/types.py': 'records',
    'utt_ros/errors.py': 'exceptions',
    'utt_ros/evaluation/baselines/baseline_training.py': 'test_association_suite.py',
    'utt_ros/evaluation/benchmarks/graph_edits.py': 'test_hostile_graphs.py',
    'utt_ros/evaluation/benchmarks/load_generator.py': 'a process of test_live_rig.py',
    'utt_ros/evaluation/benchmarks/observer.py': 'a process of test_live_rig.py',
    'utt_ros/evaluation/benchmarks/parser_samples.py': 'test_mutant_parsers.py reads each sample',
    'utt_ros/evaluation/report/paper_figures.py': 'constants',
    'utt_ros/federation/types.py': 'records',
    'utt_ros/nodes/recorder_node.py': 'test/nodes/test_replay_record.py',
    'utt_ros/orchestration/fork_client.py': 'test_fork_server.py, from both ends',
    'utt_ros/parameter_files.py': 'test_settings.py',
    'utt_ros/sessions/bag_topic.py': 'a record',
    'utt_ros/twin/filter_types.py': 'records',
    'utt_ros/twin/tick_types.py': 'records',
    'utt_ros/twin/settings.py': 'limits in test_settings.py, values in test_particle_filter.py',
    'utt_ros/types.py': 'records and units',
    'utt_ros/view/browser_controls.py': 'test_browser_window.py, test_chromium.py',
    'utt_ros/view/scene_source.py': 'a protocol and a record',
}

HEADLESS = re.compile(r'(What|How|Where|Whose|Who|When|Of|By|Which|That)\b')
SUPERLATIVES = re.compile(r'\b_?(MOST|LEAST|LARGEST|LONGEST|SHORTEST|SMALLEST|FARTHEST)_')
LICENSE = re.compile(
    r'(#!.*\n)?# Copyright 20\d\d The utt_ros maintainers\n'
    r'# SPDX-License-Identifier: Apache-2\.0\n')


@cache
def sources() -> dict[Path, ast.Module]:
    return {path.relative_to(ROOT): ast.parse(path.read_text(encoding='utf-8'))
            for path in sorted(PACKAGE.rglob('*.py'))}


def python_files() -> list[Path]:
    folders = ('utt_ros', 'test', 'launch', 'examples', 'tools')
    return [path for folder in folders for path in sorted((ROOT / folder).rglob('*.py'))
            if path.stat().st_size]


def repeated(places: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: found for name, found in places.items() if len(found) > 1}


def test_a_file_name_stands_in_one_room() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sources():
        if path.stem not in SHARED_FILE_NAMES:
            places[path.stem].append(str(path))
    assert not repeated(places)


def definitions(tree: ast.Module) -> Iterator[str]:
    """Yield the public classes, functions and constants of a module."""
    for node in tree.body:
        names = [getattr(node, 'name', '')]
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        yield from (name for name in names if name and not name.startswith('_'))


def test_a_public_class_or_function_is_defined_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in sources().items():
        for name in definitions(tree):
            if not name.isupper() and name not in SHARED_PUBLIC_NAMES:
                places[name].append(str(path))
    assert not repeated(places)


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield getattr(node, 'lineno', 1), text


def test_a_docstring_begins_with_a_verb_or_a_term() -> None:
    assert not [
        f'{path}:{line}: {text.splitlines()[0]}'
        for path, tree in sources().items()
        for line, text in docstrings(tree)
        if HEADLESS.match(text)
    ]


def test_limits_are_called_max_and_min() -> None:
    assert not [
        f'{path.relative_to(ROOT)}: {found[0]}'
        for path in python_files()
        for found in SUPERLATIVES.finditer(path.read_text(encoding='utf-8'))
        if path != Path(__file__).resolve()
    ]


def test_every_file_names_its_license() -> None:
    assert not [
        str(path.relative_to(ROOT)) for path in python_files()
        if not LICENSE.match(path.read_text(encoding='utf-8'))
    ]


def test_every_module_has_a_test_file_of_its_name() -> None:
    tests = {path.relative_to(ROOT / 'test') for path in (ROOT / 'test').rglob('test_*.py')}
    missing = {
        str(path) for path in sources()
        if path.stem != '__init__'
        if path.relative_to('utt_ros').with_name(f'test_{path.name}') not in tests
    }
    assert not missing - TESTED_ELSEWHERE.keys()
    assert not TESTED_ELSEWHERE.keys() - missing, 'a listed module has its test file by now'


def test_architecture_names_files_that_exist() -> None:
    text = (ROOT / 'docs/architecture.md').read_text(encoding='utf-8')
    table = text[text.index('## Where to look'):]
    files = re.findall(r'`(utt_ros/[\w/]+\.py)`', table)
    assert len(files) >= 19
    assert not [file for file in files if not (ROOT / file).exists()]

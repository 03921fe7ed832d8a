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
"""Tutorials, run as they stand on their pages.

A block `sh` is run, `yaml` or `python` with a title is written to that file, and each line of the
block `text` that follows a `sh` is found in its output, in this order; `…` stands for any text.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(330)]

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / 'docs/tutorials'
LIVE = {'replay-a-bag'}  # they start nodes
LONG = {'reproduce-a-table', 'twin-from-a-twin'}
OFFLINE = sorted({path.stem for path in TUTORIALS.glob('*.md')} - LIVE)
BLOCK = re.compile(r'^```(\w+)(?: title="([\w.]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
STEP = '@@ step'
LIMIT_S = 300.0


class Step(NamedTuple):
    """Commands of a page, files that they need, and lines that they print."""

    files: dict[str, str]
    commands: str
    printed: list[str]


def text_of(name: str) -> str:
    return (TUTORIALS / f'{name}.md').read_text(encoding='utf-8')


def steps_of(page: str) -> list[Step]:
    steps: list[Step] = []
    files: dict[str, str] = {}
    for language, title, text in BLOCK.findall(page):
        if title:
            files[title] = text
        elif language == 'sh':
            steps.append(Step(files, text, []))
            files = {}
        elif language == 'text':
            steps[-1].printed.extend(text.splitlines())
    return steps


def script_of(steps: list[Step], folder: Path) -> str:
    lines = ['set -euo pipefail']
    for number, step in enumerate(steps):
        for name, text in step.files.items():
            (folder / f'.{name}').write_text(text, encoding='utf-8')
            lines.append(f'mv .{name} {name}')
        lines += [f'echo "{STEP} {number}"', step.commands]
    return '\n'.join(lines)


def missing_lines(output: str, expected: list[str]) -> list[str]:
    """Return the expected lines that do not follow each other in an output."""
    rest: Iterator[str] = iter(' '.join(line.split()) for line in output.splitlines())
    return [line for line in expected if not any(is_like(found, line) for found in rest)]


def is_like(found: str, expected: str) -> bool:
    parts = (re.escape(part) for part in ' '.join(expected.split()).split('…'))
    return re.fullmatch('.*'.join(parts), found) is not None


def run_page(page: str, folder: Path) -> None:
    steps = steps_of(page)
    assert steps
    done = subprocess.run(
        ['bash', '-c', script_of(steps, folder)], cwd=folder, env=environment(folder), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout
    outputs = re.split(rf'^{STEP} \d+$', done.stdout, flags=re.MULTILINE)[1:]
    for step, output in zip(steps, outputs, strict=True):
        assert not missing_lines(output, step.printed), done.stdout


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which `utt` and `python` are those of this checkout."""
    commands = folder / '.commands'
    commands.mkdir()
    for name, words in (('python', '"$@"'), (
            'utt', '-c "import sys; from utt_ros.cli.main import main; sys.exit(main())" "$@"')):
        (commands / name).write_text(f'#!/bin/sh\nexec {sys.executable} {words}\n')
        (commands / name).chmod(0o755)
    return {**os.environ, 'PATH': f'{commands}:{os.environ["PATH"]}', 'PYTHONPATH': str(ROOT)}


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=pytest.mark.nightly if name in LONG else ()) for name in OFFLINE])
def test_tutorial_does_what_its_page_says(name: str, tmp_path: Path) -> None:
    run_page(text_of(name), tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize('name', sorted(LIVE))
def test_tutorial_of_live_nodes_does_what_its_page_says(
    name: str, tmp_path: Path, ros_domain: int,
) -> None:
    run_page(text_of(name), tmp_path)


def test_expected_lines_are_found_in_order_with_any_text_for_dots() -> None:
    assert not missing_lines('a  1 b\nx\nend', ['a … b', 'end'])
    assert missing_lines('end\na 1 b', ['a … b', 'end']) == ['end']
    assert missing_lines('abc', ['ab']) == ['ab']


def test_a_page_that_prints_something_else_fails(tmp_path: Path) -> None:
    page = '```python title="one.py"\nprint(1)\n```\n```sh\npython one.py\n```\n'
    with pytest.raises(AssertionError, match='1'):
        run_page(page + '\n```text\n2\n```\n', tmp_path)


def test_there_are_five_tutorials() -> None:
    assert len(OFFLINE) + len(LIVE) == 5

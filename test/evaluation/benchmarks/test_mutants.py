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

"""Processes that try mutants: whatever a parser does is a finding, and the others go on."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import mutants
from utt_ros.evaluation.benchmarks.mutants import mutant, try_mutants

PARSERS = """
import os
import time

from utt_ros.errors import MeasurementError
from utt_ros.evaluation.benchmarks.mutants import MutantTarget


def refuse(data):
    raise MeasurementError('no')


def escape(data):
    raise OverflowError(f'{len(data)} bytes')


def targets(**parsers):
    return {name: MutantTarget((b'1',), parser) for name, parser in parsers.items()}


def make_bad(folder):
    return targets(a_sound=len, b_refuses=refuse, c_escapes=escape,
                   d_crashes=lambda _: os.abort(), e_exits=lambda _: os._exit(0))


def make_slow(folder):
    return targets(slow=lambda _: time.sleep(1000), sound=len)


def make_none(folder):
    raise OSError('no samples')
"""


@pytest.fixture
def parsers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import parsers from a module that other processes can import as well."""
    name = f'parsers_{tmp_path.name}'
    (tmp_path / f'{name}.py').write_text(PARSERS)
    monkeypatch.syspath_prepend(tmp_path)
    return import_module(name)


def test_refusals_are_counted_and_escapes_and_crashes_are_named(
    tmp_path: Path, parsers: ModuleType,
) -> None:
    report = try_mutants(parsers.make_bad, 10, 1, tmp_path)
    assert dict(report.tried) == dict.fromkeys(parsers.make_bad(tmp_path), 2)
    assert (report.refused, report.escaped, report.crashed, report.hung) == (2, 2, 4, 0)
    assert [text.split(':')[0] for text in report.problems] == [
        f'{name}, mutant {number}' for number, name in (
            (2, 'c_escapes'), (3, 'd_crashes'), (4, 'e_exits'),
            (7, 'c_escapes'), (8, 'd_crashes'), (9, 'e_exits'))]
    assert 'OverflowError' in report.problems[0]
    assert '-6' in report.problems[1]


def test_a_parser_that_hangs_is_killed_and_named(
    tmp_path: Path, parsers: ModuleType, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mutants, 'MAX_INPUT_SEC', 1.0)
    report = try_mutants(parsers.make_slow, 2, 1, tmp_path)
    assert (report.hung, report.tried.total()) == (1, 2)
    assert report.problems == ['slow, mutant 0: it hangs']


def test_parsers_that_do_not_start_are_an_error(tmp_path: Path, parsers: ModuleType) -> None:
    with pytest.raises(UttError, match='the parsers did not start'):
        try_mutants(parsers.make_none, 5, 1, tmp_path)


def test_a_number_names_the_same_mutant_again(tmp_path: Path, parsers: ModuleType) -> None:
    targets = parsers.make_bad(tmp_path)
    assert mutant(targets, 7, 3) == mutant(targets, 7, 3)
    assert mutant(targets, 7, 3)[0] == 'c_escapes'
    assert mutant(targets, 7, 3) != mutant(targets, 7, 4)

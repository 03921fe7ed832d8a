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

"""A short form of the mutants of `utt bench faults`: no parser lets an error escape."""

from pathlib import Path

import pytest

from utt_ros.evaluation.benchmarks.mutant_parsers import make_parsers
from utt_ros.evaluation.benchmarks.mutants import try_mutants
from utt_ros.evaluation.benchmarks.parser_samples import SAMPLE_FILES, write_samples

COUNT = 300


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    write_samples(tmp_path)
    return tmp_path


@pytest.mark.timeout(300)
def test_mutants_are_refused_by_errors_of_the_package_and_nothing_hangs(samples: Path) -> None:
    report = try_mutants(make_parsers, COUNT, 1, samples)
    assert report.problems == []
    assert report.tried.total() == COUNT
    assert COUNT / 4 < report.refused < COUNT


def test_undamaged_samples_are_read(samples: Path) -> None:
    targets = make_parsers(samples)
    assert set(SAMPLE_FILES) <= set(targets)
    for target in targets.values():
        for sample in target.samples:
            target.parse(sample)

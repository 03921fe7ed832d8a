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

"""Hostile seals in a short form: none passes, each names the sender that it claims."""

from pathlib import Path
from random import Random

from utt_ros.evaluation.benchmarks.forged_messages import attack_table
from utt_ros.evaluation.benchmarks.forged_seals import GENUINE, attack_verifier
from utt_ros.federation.signing import SIGNED_KINDS
from utt_ros.federation.types import GlobalModel, Update


def test_no_hostile_seal_passes_crashes_or_goes_unnamed(tmp_path: Path) -> None:
    tallies = attack_verifier(150, 1, tmp_path)
    assert [each.attack for each in tallies] == [
        'forged (seal)', 'replayed (seal)', 'foreign (seal)', 'replayed (restart)']
    assert [each for each in tallies if not each.passed] == [], attack_table(tallies)


def test_every_signed_kind_is_attacked_here_or_in_whole_receivers() -> None:
    kinds = {type(make(Random(0))) for make in GENUINE}
    assert kinds | {Update, GlobalModel} == set(SIGNED_KINDS)

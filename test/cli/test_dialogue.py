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

"""Questions have defaults, refuse what is none, and end when the answers do."""

from collections.abc import Iterator

import pytest

from utt_ros.cli.dialogue import MAX_REFUSALS, Dialogue
from utt_ros.errors import UttError


def answering(*answers: str) -> tuple[Dialogue, list[str]]:
    told: list[str] = []
    left: Iterator[str] = iter(answers)

    def ask(question: str) -> str:
        told.append(question)
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None
    return Dialogue(ask, told.append), told


def test_an_empty_answer_is_the_default() -> None:
    asking, told = answering('', '', '', '')
    assert asking.number('height [m]', 2.5, 0.1, 100.0) == 2.5
    assert asking.choice('app', ['one', 'two'], 'two') == 'two'
    assert asking.agree('again', default=False) is False
    assert asking.numbers('place', (0.0, 1.5), 10.0) == (0.0, 1.5)
    assert 'height [m] [2.5]: ' in told


def test_a_refused_answer_is_asked_again_with_the_reason() -> None:
    asking, told = answering('high', '200', '3', '1 2', '1 2 3', '3', '2', 'maybe', 'Yes')
    assert asking.number('height', 2.5, 0.1, 100.0) == 3.0
    assert '  200 is outside 0.1..100' in told
    assert asking.numbers('place', (0.0, 0.0, 0.0), 10.0) == (1.0, 2.0, 3.0)
    assert '  2 numbers: it must be 3' in told
    assert asking.choice('app', ['one', 'two'], 'one') == 'two'
    assert asking.agree('again', default=False)


def test_the_end_of_answers_and_too_many_refusals_end_the_dialogue() -> None:
    with pytest.raises(UttError, match="no answer to 'height': nothing is written"):
        answering()[0].number('height', 1.0, 0.0, 2.0)
    with pytest.raises(UttError, match=f'{MAX_REFUSALS} answers'):
        answering(*'x' * 20)[0].number('height', 1.0, 0.0, 2.0)

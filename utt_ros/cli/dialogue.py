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

"""Questions on a terminal: each has a default, and an answer that is refused is asked again."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from utt_ros.errors import UttError

T = TypeVar('T')
MAX_REFUSALS = 10  # of one question: a program may be answering


class Dialogue:
    """Asks by `ask` (a prompt in, a line out) and tells by `tell`."""

    def __init__(
        self, ask: Callable[[str], str] = input, tell: Callable[[str], object] = print,
    ) -> None:
        self._ask = ask
        self.tell = tell

    def value(self, question: str, default: str, read: Callable[[str], T]) -> T:
        """Ask until `read` accepts the answer; it raises ValueError or UttError otherwise.

        Raises UttError when the answers end, or too many are refused.
        """
        shown = f'{question} [{default}]: ' if default else f'{question}: '
        for _ in range(MAX_REFUSALS):
            try:
                answer = self._ask(shown).strip() or default
            except EOFError as err:
                raise UttError(f'no answer to {question!r}: nothing is written') from err
            try:
                return read(answer)
            except (ValueError, UttError) as err:
                self.tell(f'  {err}')
        raise UttError(f'{MAX_REFUSALS} answers to {question!r} were refused: nothing is written')

    def number(self, question: str, default: float, low: float, high: float) -> float:
        def read(answer: str) -> float:
            number = float(answer)
            if not low <= number <= high:
                raise ValueError(f'{number:g} is outside {low:g}..{high:g}')
            return number
        return self.value(question, f'{default:g}', read)

    def numbers(self, question: str, default: Sequence[float], limit: float) -> tuple[float, ...]:
        """Ask for as many numbers as the default has."""
        def read(answer: str) -> tuple[float, ...]:
            numbers = tuple(float(word) for word in answer.replace(',', ' ').split())
            if len(numbers) != len(default):
                raise ValueError(f'{len(numbers)} numbers: it must be {len(default)}')
            if not all(abs(number) <= limit for number in numbers):
                raise ValueError(f'each must be within {limit:g}')
            return numbers
        return self.value(question, ' '.join(f'{number:g}' for number in default), read)

    def choice(self, question: str, options: Sequence[str], default: str) -> str:
        """Ask for one of the options, by its number or name."""
        for number, option in enumerate(options, 1):
            self.tell(f'  {number}  {option}')

        def read(answer: str) -> str:
            if answer in options:
                return answer
            if answer.isdecimal() and 1 <= int(answer) <= len(options):
                return options[int(answer) - 1]
            raise ValueError(f'{answer!r} is none of 1..{len(options)}')
        return self.value(question, default, read)

    def agree(self, question: str, *, default: bool) -> bool:
        def read(answer: str) -> bool:
            if answer.lower() not in ('y', 'yes', 'n', 'no'):
                raise ValueError(f'{answer!r}: it must be y or n')
            return answer.lower().startswith('y')
        return self.value(f'{question} (y/n)', 'y' if default else 'n', read)

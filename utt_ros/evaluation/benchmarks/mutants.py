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

"""Mutants of valid inputs against the parsers: none may escape its errors, crash or hang.

Parsers run in a process of their own, so that a crash in a library or an endless loop is a finding
about one input, after which the others go on.
"""

import multiprocessing
import os
import resource
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from time import monotonic

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks.byte_mutations import mutate

MAX_INPUT_SEC = 10.0  # for one input, on a busy machine
MAX_START_SEC = 120.0
POLL_SEC = 0.5
MAX_MEMORY_BYTES = 8 * 2**30  # of addresses: an input that asks for more is a finding
MAX_SHOWN = 120


@dataclass(frozen=True, slots=True)
class MutantTarget:
    """Parser of bytes that must return, or raise a UttError, and valid inputs of it."""

    samples: tuple[bytes, ...]
    parse: Callable[[bytes], object]


MakeTargets = Callable[[Path], Mapping[str, MutantTarget]]


@dataclass(slots=True)
class MutantReport:
    """Outcome of all mutants; `problems` name target and number of each finding."""

    tried: Counter[str] = field(default_factory=Counter)  # by target
    refused: int = 0  # with a UttError
    escaped: int = 0  # with another exception
    crashed: int = 0
    hung: int = 0
    problems: list[str] = field(default_factory=list)


def try_mutants(make: MakeTargets, count: int, seed: int, folder: Path) -> MutantReport:
    """Give `count` mutants to the parsers, in turns; `make` is importable by its name."""
    report, begin = MutantReport(), 0
    while begin < count:
        begin = _try_until_crash(make, range(begin, count), seed, folder, report)
    return report


def mutant(targets: Mapping[str, MutantTarget], number: int, seed: int) -> tuple[str, bytes]:
    """Return the target and the bytes of a mutant."""
    names = sorted(targets)
    name = names[number % len(names)]
    rng = Random(f'{seed}/{number}')  # noqa: S311 - a benchmark repeats
    return name, mutate(rng, targets[name].samples)


def _try_until_crash(
    make: MakeTargets, numbers: range, seed: int, folder: Path, report: MutantReport,
) -> int:
    """Try mutants in a new process; return the number that follows the last one tried."""
    context = multiprocessing.get_context('spawn')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_try_all, args=(make, numbers, seed, folder, sender), daemon=True)
    process.start()
    sender.close()
    current, name, deadline_s = numbers.start, '', monotonic() + MAX_START_SEC
    try:
        while current < numbers.stop:
            if not receiver.poll(POLL_SEC):
                if monotonic() < deadline_s:
                    continue
                report.hung += 1
                report.problems.append(f'{name}, mutant {current}: it hangs')
                return current + 1
            event, *values = receiver.recv()
            deadline_s = monotonic() + MAX_INPUT_SEC
            if event == 'begin':
                current, name = values
                report.tried[name] += 1
            elif event == 'end':
                current += 1
            else:
                setattr(report, event, getattr(report, event) + 1)
                report.problems += [f'{name}, mutant {current}: {text}' for text in values if text]
    except EOFError:
        process.join()
        if not name:
            raise UttError(f'the parsers did not start: exit code {process.exitcode}') from None
        report.crashed += 1
        report.problems.append(f'{name}, mutant {current}: exit code {process.exitcode}')
        return current + 1
    finally:
        process.kill()
        process.join()
        receiver.close()
    return numbers.stop


def _try_all(
    make: MakeTargets, numbers: range, seed: int, folder: Path, events: Connection,
) -> None:
    _redirect_output()
    targets = make(folder)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    for number in numbers:
        name, data = mutant(targets, number, seed)
        events.send(('begin', number, name))
        outcome = _outcome(targets[name].parse, data)
        if outcome:
            events.send(outcome)
    events.send(('end',))


def _outcome(parse: Callable[[bytes], object], data: bytes) -> tuple[str, ...]:
    """Return the field of the report that an input adds to, and a text about an escape."""
    try:
        parse(data)
    except UttError:
        return 'refused', ''
    except BaseException as err:  # noqa: BLE001 - what is looked for
        return 'escaped', f'{type(err).__name__}: {err}'[:MAX_SHOWN]
    return ()


def _redirect_output() -> None:
    """Discard what libraries print about each input."""
    with open(os.devnull, 'wb') as nowhere:  # noqa: PTH123 - a device
        for descriptor in (1, 2):
            os.dup2(nowhere.fileno(), descriptor)

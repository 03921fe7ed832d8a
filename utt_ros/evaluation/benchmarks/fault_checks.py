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

"""Checks of `utt bench faults`: what is done to the system, and the promise that must hold."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from utt_ros.evaluation.benchmarks.attacked_twin import attack_twin
from utt_ros.evaluation.benchmarks.attacks import (
    CLEAN,
    HONEST,
    MEAN,
    SCREENED,
    PoisoningOutcome,
    PoisoningPlan,
    poison_federations,
    poisoning_units,
    simulated_federations,
)
from utt_ros.evaluation.benchmarks.federation_checks import killed_nodes, soaked_federation
from utt_ros.evaluation.benchmarks.forged_messages import AttackTally, attack_federation
from utt_ros.evaluation.benchmarks.forged_seals import attack_verifier
from utt_ros.evaluation.benchmarks.full_disk import (
    FullDiskReport,
    record_until_full,
    save_until_full,
)
from utt_ros.evaluation.benchmarks.hostile_graphs import HOSTILE_KINDS
from utt_ros.evaluation.benchmarks.killed_checkpoints import kill_checkpoint_writers
from utt_ros.evaluation.benchmarks.killed_writers import kill_recordings
from utt_ros.evaluation.benchmarks.mutant_parsers import make_parsers
from utt_ros.evaluation.benchmarks.mutants import MAX_INPUT_SEC, try_mutants
from utt_ros.evaluation.benchmarks.parser_samples import write_samples
from utt_ros.evaluation.benchmarks.promises import FaultCheck, FaultPlan, PromiseResult
from utt_ros.evaluation.benchmarks.reordered_streams import reorder_streams
from utt_ros.evaluation.federated.poisoning import ATTACKS

MAX_REFUSAL_MS = 1.0
MAX_SILENT_S = 1.0  # of a twin under attack
MAX_LOST_RECORDING_S = 1.0
MAX_CLEAN_ERROR, MAX_POISONED_ERROR = 1.01, 1.05  # relative to a mean
MAX_SESSIONS = 10  # that are reordered
SHORT_ATTACKS = ('sign_flip', 'replacement')


def hostile_messages(plan: FaultPlan) -> list[PromiseResult]:
    """Send hostile updates and models to a signed federation, all other kinds to a verifier."""
    count = plan.share(10_000, 100)
    tallies = [*attack_federation(count, plan.shard_seed, plan.folder / 'federation'),
               *attack_verifier(count, plan.shard_seed, plan.folder / 'verifier')]
    return [_message_result(tally) for tally in tallies]


def _message_result(tally: AttackTally) -> PromiseResult:
    return PromiseResult(
        f'{tally.attack} messages are refused and named',
        f'{tally.sent} sent: {tally.accepted} accepted, {tally.crashed} crashed, '
        f'{tally.unnamed} unnamed; p50 {tally.p50_ms:.2f} ms',
        f'0, 0, 0; p50 {MAX_REFUSAL_MS:g} ms', tally.passed and tally.p50_ms < MAX_REFUSAL_MS)


def killed_recorders(plan: FaultPlan) -> list[PromiseResult]:
    """Kill recorders while they write."""
    report = kill_recordings(plan.folder, plan.share(20, 2), plan.shard_seed)
    return [PromiseResult(
        'a killed recording opens',
        f'{report.kills} kills: {report.unreadable} unreadable, at most {report.lost:.2f} s lost, '
        f'{report.files_left} files left over',
        f'0, {MAX_LOST_RECORDING_S:g} s, 0',
        not report.unreadable and not report.files_left and report.lost <= MAX_LOST_RECORDING_S,
        report.problems)]


def full_disks(plan: FaultPlan) -> list[PromiseResult]:
    """Fill a disk by a recording, and by checkpoints."""
    folders = [plan.folder / name for name in ('recording', 'checkpoints')]
    for folder in folders:
        folder.mkdir()
    recorded, saved = record_until_full(folders[0]), save_until_full(folders[1])
    return [
        disk_result('a recording on a full disk opens', recorded, 's', MAX_LOST_RECORDING_S),
        disk_result('checkpoints on a full disk stay readable', saved, 'rounds', 0.0)]


def disk_result(
    promise: str, report: FullDiskReport, unit: str, max_lost: float,
) -> PromiseResult:
    """Return the row of one full disk."""
    return PromiseResult(
        promise,
        f'{report.disk}: {"an error" if report.told else "no error"}, {report.lost:.3g} {unit} '
        f'lost, {report.files_left} files left over',
        f'an error, {max_lost:g} {unit}, 0',
        report.told and not report.problem and not report.files_left and report.lost <= max_lost,
        (report.problem,) if report.problem else ())


def reordered_streams(plan: FaultPlan) -> list[PromiseResult]:
    """Let the messages of simulated sessions overtake each other by up to 200 ms."""
    reports = [reorder_streams(seed=plan.shard_seed * MAX_SESSIONS + number)
               for number in range(plan.share(MAX_SESSIONS, 1))]
    equal, total, late = (sum(getattr(report, name) for report in reports)
                          for name in ('equal', 'total', 'late'))
    return [PromiseResult(
        'streams reordered by 200 ms give the windows of those in order',
        f'{len(reports)} sessions, {sum(report.reordered for report in reports)} messages '
        f'overtaken: {equal} of {total} windows equal, {late} messages late',
        'all', equal == total > 0)]


def killed_savers(plan: FaultPlan) -> list[PromiseResult]:
    """Kill trainers and aggregators while they write checkpoints."""
    reports = kill_checkpoint_writers(plan.folder, plan.share(1_000, 10), plan.shard_seed)
    return [PromiseResult(
        f'a killed {kind} loses at most a round',
        f'{report.kills} kills: {report.unreadable} unreadable, at most {report.lost:g} rounds '
        f'lost, {report.files_left} files left over',
        '0, 1, 0', not report.unreadable and not report.files_left and report.lost <= 1,
        report.problems) for kind, report in zip(('trainer', 'aggregator'), reports, strict=True)]


def hostile_graphs(plan: FaultPlan) -> list[PromiseResult]:
    """Deploy hostile graphs to a twin that works."""
    kinds = HOSTILE_KINDS[plan.shard[0]::plan.shard[1] * (8 if plan.short else 1)]
    attacks = attack_twin(kinds)
    used = [attack.kind for attack in attacks if not attack.reason]
    silent_s = max((attack.silent_s for attack in attacks), default=0.0)
    return [PromiseResult(
        'a hostile graph is refused or dropped, and the twin goes on',
        f'{len(attacks)} kinds: {len(used)} used, silent for {silent_s:.2f} s at most',
        f'0, {MAX_SILENT_S:g} s', not used and silent_s <= MAX_SILENT_S, tuple(used))]


def mutated_input(plan: FaultPlan) -> list[PromiseResult]:
    """Give damaged messages, lines, files and graphs to their parsers."""
    write_samples(plan.folder)
    report = try_mutants(make_parsers, plan.share(100_000, 300), plan.shard_seed, plan.folder)
    return [PromiseResult(
        'a parser refuses damaged input by an error of its own',
        f'{report.tried.total()} mutants of {len(report.tried)} kinds of input: {report.escaped} '
        f'other errors, {report.crashed} crashes, {report.hung} above {MAX_INPUT_SEC:g} s',
        '0, 0, 0', not report.problems, tuple(report.problems))]


def poisoned_federations(plan: FaultPlan) -> list[PromiseResult]:
    """Let a quarter of the areas of simulated federations be hostile."""
    attacks = [*SHORT_ATTACKS] if plan.short else [*ATTACKS]
    poisoning = PoisoningPlan(seed=plan.seed)
    if plan.short:
        poisoning = replace(poisoning, areas=5, minutes=1.5, rounds=3)
    units = poisoning_units([SCREENED], attacks)
    make = partial(simulated_federations, poisoning)
    return poisoning_results(list(poison_federations(make, units, 1 if plan.short else 2)))


def poisoning_results(outcomes: Sequence[PoisoningOutcome]) -> list[PromiseResult]:
    """Return the rows of the error without attack, and under the worst one."""
    errors = {(item.rule, item.attack): item.nmse for item in outcomes}
    clean = errors[SCREENED, CLEAN] / errors[MEAN, CLEAN]
    poisoned = {item.attack: item.nmse / errors[MEAN, HONEST] for item in outcomes
                if item.rule == SCREENED and item.attack != CLEAN}
    worst = max(poisoned, key=lambda attack: poisoned[attack])
    named = sum(item.named > 0.0 for item in outcomes if item.attack in poisoned)
    return [
        PromiseResult(
            'screening costs no accuracy', f'error {clean:.3f} of that of a mean',
            f'{MAX_CLEAN_ERROR:g}', clean <= MAX_CLEAN_ERROR),
        PromiseResult(
            'a quarter of hostile areas does not spoil the model',
            f'{len(poisoned)} attacks: error at most {poisoned[worst]:.3f} of that of the honest '
            f'areas alone ({worst}); hostile areas are named in {named}',
            f'{MAX_POISONED_ERROR:g}', poisoned[worst] <= MAX_POISONED_ERROR,
            tuple(f'{attack}: {error:.3f}' for attack, error in poisoned.items()
                  if error > MAX_POISONED_ERROR))]


CHECKS: dict[str, FaultCheck] = {
    'messages': hostile_messages,
    'streams': reordered_streams,
    'recordings': killed_recorders,
    'disk': full_disks,
    'nodes': killed_nodes,
    'checkpoints': killed_savers,
    'graphs': hostile_graphs,
    'mutants': mutated_input,
    'poisoning': poisoned_federations,
    'soak': soaked_federation,
}


def run_checks(
    names: Iterable[str], plan: FaultPlan, note: Callable[[str], None],
) -> Iterator[PromiseResult]:
    """Run checks one after the other, each in a folder of its own; yield their results."""
    for name in names:
        note(f'{name} ...')
        folder = plan.folder / name
        folder.mkdir()
        begin_s = time.monotonic()
        results = _run_check(CHECKS[name], replace(plan, folder=folder))
        seconds = time.monotonic() - begin_s
        yield from (replace(item, check=name, seconds=seconds) for item in results)


def _run_check(check: FaultCheck, plan: FaultPlan) -> Sequence[PromiseResult]:
    try:
        return check(plan)
    except Exception as err:  # noqa: BLE001 - a check that fails is a broken promise, others go on
        return [PromiseResult(
            str(check.__doc__).splitlines()[0], 'the check failed', '', kept=False,
            findings=(f'{type(err).__name__}: {err}',))]

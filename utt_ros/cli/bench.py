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

"""`utt bench`: speed, association, hostile areas and faults."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from utt_ros.cli.bench_building import configure_building
from utt_ros.cli.bench_compression import configure_compression
from utt_ros.cli.bench_faults import configure_faults
from utt_ros.cli.bench_hosts import configure_hosts
from utt_ros.cli.bench_scale import configure_scale
from utt_ros.cli.bench_tick import configure_tick
from utt_ros.cli.bench_view import configure_view
from utt_ros.evaluation.association.live_replay import (
    ASSOCIATION_METHODS,
    association_table,
    read_recordings,
    replay_split,
)
from utt_ros.evaluation.association.scorer_training import fit_scorers_file
from utt_ros.evaluation.benchmarks import live_report
from utt_ros.evaluation.benchmarks.association_cost import match_cost
from utt_ros.evaluation.benchmarks.attacks import (
    ROOT_RULE,
    RULES,
    PoisonedFederations,
    PoisoningPlan,
    poison_federations,
    poisoning_table,
    poisoning_units,
    simulated_federations,
)
from utt_ros.evaluation.benchmarks.latency import LiveResult
from utt_ros.evaluation.benchmarks.live_rig import Timing, run_scenario
from utt_ros.evaluation.benchmarks.reference_model import write_model
from utt_ros.evaluation.benchmarks.scenarios import make_scenarios
from utt_ros.evaluation.benchmarks.training_throughput import measure_throughput
from utt_ros.evaluation.federated.poisoning import ATTACKS
from utt_ros.files import write_atomically

SCENARIOS = ('training', 'serving', 'naive', 'naive_training')
BENCH_LIMITS = {'phones': (1, 100), 'seconds': (1.0, 3600.0), 'warm_up': (0.0, 600.0),
                'steps': (1, 100_000), 'repeats': (1, 1000), 'areas': (3, 64),
                'rounds': (1, 1000), 'processes': (1, 256)}


def configure(parser: argparse.ArgumentParser) -> None:
    benches = parser.add_subparsers(dest='bench', required=True, metavar='BENCH')
    text = 'one area with many phones over DDS: latency, losses, CPU and memory'
    live = benches.add_parser('live', help=text, description=f'Measure {text}.')
    live.set_defaults(run=_live)
    live.add_argument('--phones', type=_number(int, 'phones'), default=20,
                      help='phones of the area (default %(default)s)')
    live.add_argument('--seconds', type=_number(float, 'seconds'), default=20.0,
                      help='measured time per pipeline [s] (default %(default)s)')
    live.add_argument('--warm-up', type=_number(float, 'warm_up'), default=12.0,
                      help='time before the measurement [s] (default %(default)s)')
    live.add_argument('--only', nargs='+', choices=SCENARIOS, default=SCENARIOS,
                      metavar='PIPELINE',
                      help=f'subset of {", ".join(SCENARIOS)}')
    live.add_argument('--domain', type=int, default=97,
                      help='unused ROS domain (default %(default)s)')
    live.add_argument('--json', type=Path, metavar='FILE', help='write all measurements to a file')
    live.add_argument('--logs', type=Path, metavar='DIR',
                      help='folder for output and measurements of the processes')
    text = 'training throughput, compared with a loop over operations'
    train = benches.add_parser('train', help=text, description=f'Measure {text}.')
    train.set_defaults(run=_train)
    train.add_argument('--steps', type=_number(int, 'steps'), default=10,
                       help='steps per measurement (default %(default)s)')
    train.add_argument('--repeats', type=_number(int, 'repeats'), default=5,
                       help='alternating measurements of each (default %(default)s)')
    _configure_association(benches)
    _configure_attacks(benches)
    configure_building(benches)
    configure_compression(benches)
    configure_faults(benches)
    configure_hosts(benches)
    configure_tick(benches)
    configure_scale(benches)
    configure_view(benches)


def _configure_association(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    text = 'live association on recordings without labels: IDP by track age, position error'
    association = benches.add_parser('association', help=text, description=f'Measure {text}.')
    association.set_defaults(run=_association)
    association.add_argument('--split', choices=['train', 'val', 'test'], default='test',
                             help='evaluated sequences (default %(default)s)')
    association.add_argument('--only', nargs='+', choices=ASSOCIATION_METHODS,
                             default=ASSOCIATION_METHODS, metavar='METHOD',
                             help=f'subset of {", ".join(ASSOCIATION_METHODS)}')
    association.add_argument('--cache', type=Path, metavar='DIR',
                             help='folder that caches the loaded recordings')
    association.add_argument('--model', type=Path, metavar='FILE',
                             help='model of utt train; without it there is no translation')
    text = 'the likelihoods of live association from recordings with labels, their val split'
    fitting = benches.add_parser('fit-association', help=f'fit {text}', description=f'Fit {text}.')
    fitting.set_defaults(run=_fit_association)
    fitting.add_argument('--model', type=Path, metavar='FILE', required=True,
                         help='model of utt train, from the train split of the same recordings')
    fitting.add_argument('--out', type=Path, metavar='FILE', required=True,
                         help='file to write, a value of association_scorers')
    fitting.add_argument('--seed', type=int, default=0, help='(default %(default)s)')
    for parser in (association, fitting):
        parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                            help='recordings: bags by area, or the Vi-Fi layout')


def _configure_attacks(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    text = 'federations with hostile areas: error by attack and aggregation rule'
    attacks = benches.add_parser('attacks', help=text, description=f'Measure {text}.')
    attacks.set_defaults(run=_attacks)
    attacks.add_argument('--data', type=Path, metavar='DIR',
                         help='recordings instead of simulated areas; a quarter of their areas is '
                         f'hostile, and there is no {ROOT_RULE}')
    attacks.add_argument('--areas', type=_number(int, 'areas'), default=8,
                         help='simulated areas, the last without a camera (default %(default)s)')
    attacks.add_argument('--rounds', type=_number(int, 'rounds'), default=8,
                         help='rounds of a federation (default %(default)s)')
    attacks.add_argument('--rules', nargs='+', choices=[*RULES, ROOT_RULE], metavar='RULE',
                         help=f'subset of {", ".join(RULES)}, {ROOT_RULE}; screened is the '
                         'default of the aggregator')
    attacks.add_argument('--only', nargs='+', choices=ATTACKS, default=list(ATTACKS),
                         metavar='ATTACK', help=f'subset of {", ".join(ATTACKS)}')
    attacks.add_argument('--processes', type=_number(int, 'processes'), default=2,
                         help='federations at a time (default %(default)s)')
    attacks.add_argument('--seed', type=int, default=7, help='(default %(default)s)')


def _attacks(args: argparse.Namespace) -> int:
    plan = PoisoningPlan(areas=args.areas, rounds=args.rounds, seed=args.seed)
    make = partial(simulated_federations, plan)
    rules = args.rules or [*RULES, ROOT_RULE]
    if args.data is not None:
        rules = [rule for rule in rules if rule != ROOT_RULE]
        make = partial(PoisonedFederations, read_recordings(args.data, None), plan)
    units = poisoning_units(rules, args.only)
    outcomes = poison_federations(make, units, args.processes)
    print(poisoning_table(list(tqdm(
        outcomes, total=len(units), unit='federation', disable=None))))
    return 0


def _association(args: argparse.Namespace) -> int:
    data = read_recordings(args.data, args.cache)
    results = {}
    for method, complete, reduced in replay_split(data, args.split, args.model, args.only):
        print(f'{method} is evaluated', file=sys.stderr)
        results[method] = complete, reduced
    print(association_table(results))
    for method in results:
        if method != 'labels':
            match_ms, share = match_cost(method, args.model, data.window)
            print(f'{method}: a match of 20 tracks and 20 phones {match_ms:.0f} ms, '
                  f'{100.0 * share:.1f} % of a core')
    return 0


def _fit_association(args: argparse.Namespace) -> int:
    data = read_recordings(args.data, None)
    fit_scorers_file(data, args.model, args.out, args.seed)
    print(args.out)
    return 0


def _train(args: argparse.Namespace) -> int:
    throughput = measure_throughput(args.steps, args.repeats)
    print(f'ours {throughput["ours"]:.0f} windows/s, one operation after the other '
          f'{throughput["naive"]:.0f} windows/s: {throughput["ratio"]:.2f} times as fast')
    return 0


def _live(args: argparse.Namespace) -> int:
    os.environ['ROS_DOMAIN_ID'] = str(args.domain)
    with TemporaryDirectory(prefix='utt_bench_') as temporary:
        folder = (args.logs or Path(temporary)).absolute()
        results = _measure(args, folder)
    print(live_report.results_table(results))
    if args.json:
        text = json.dumps(live_report.results_as_json(results), indent=1)
        write_atomically(args.json, text.encode())
    return 0


def _measure(args: argparse.Namespace, folder: Path) -> dict[str, LiveResult]:
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder)
    scenarios = make_scenarios(args.phones, folder)
    timing = Timing(args.warm_up, args.seconds)
    results = {}
    for name in args.only:
        print(f'measuring {scenarios[name].title} ...', file=sys.stderr)
        results[name] = run_scenario(
            scenarios[name], args.phones, timing, folder / name, sys.stderr)
    return results


def _number(kind: Callable[[str], float], name: str) -> Callable[[str], float]:
    """Return a parser of a number within its limits."""
    low, high = BENCH_LIMITS[name]

    def read(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f'{text}: it must be within {low}..{high}')
        return value

    read.__name__ = kind.__name__
    return read

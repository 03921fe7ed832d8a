"""`utt bench`: measure speed against a naive pipeline, and association on recordings."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from utt_ros.evaluation.association.live_replay import (
    ASSOCIATION_METHODS,
    association_table,
    read_recordings,
    replay_split,
)
from utt_ros.evaluation.association.scorer_training import fit_scorers_file
from utt_ros.evaluation.benchmarks import live_report
from utt_ros.evaluation.benchmarks.association_cost import match_cost
from utt_ros.evaluation.benchmarks.latency import LiveResult
from utt_ros.evaluation.benchmarks.live_rig import Timing, run_scenario
from utt_ros.evaluation.benchmarks.reference_model import write_model
from utt_ros.evaluation.benchmarks.scenarios import make_scenarios
from utt_ros.evaluation.benchmarks.training_throughput import measure_throughput
from utt_ros.files import write_atomically

SCENARIOS = ('training', 'serving', 'naive', 'naive_training')
LIMITS = {'phones': (1, 100), 'seconds': (1.0, 3600.0), 'warm_up': (0.0, 600.0),
          'steps': (1, 100_000), 'repeats': (1, 1000)}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the benchmarks."""
    benches = parser.add_subparsers(dest='bench', required=True, metavar='BENCH')
    text = 'one area with many phones over DDS: latency, losses, CPU and memory'
    live = benches.add_parser('live', help=text, description=f'Measure {text}.')
    live.set_defaults(run=_live)
    live.add_argument('--phones', type=_number(int, 'phones'), default=20,
                      help='phones of the area (default %(default)s)')
    live.add_argument('--seconds', type=_number(float, 'seconds'), default=20.0,
                      help='measured per pipeline (default %(default)s)')
    live.add_argument('--warm-up', type=_number(float, 'warm_up'), default=12.0,
                      help='seconds before, not measured (default %(default)s)')
    live.add_argument('--only', nargs='+', choices=SCENARIOS, default=SCENARIOS,
                      metavar='PIPELINE',
                      help=f'some of {", ".join(SCENARIOS)}')
    live.add_argument('--domain', type=int, default=97,
                      help='ROS domain that nothing else uses (default %(default)s)')
    live.add_argument('--json', type=Path, metavar='FILE', help='write everything measured there')
    live.add_argument('--logs', type=Path, metavar='DIR',
                      help='keep what the processes say and measure there')
    text = 'training throughput, beside a loop over operations'
    train = benches.add_parser('train', help=text, description=f'Measure {text}.')
    train.set_defaults(run=_train)
    train.add_argument('--steps', type=_number(int, 'steps'), default=10,
                       help='steps per measurement (default %(default)s)')
    train.add_argument('--repeats', type=_number(int, 'repeats'), default=5,
                       help='measurements of each, in turns (default %(default)s)')
    _configure_association(benches)


def _configure_association(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    text = 'live association on recordings, labels removed: IDP by age of a track, positions'
    judge = benches.add_parser('association', help=text, description=f'Measure {text}.')
    judge.set_defaults(run=_association)
    judge.add_argument('--split', choices=['train', 'val', 'test'], default='test',
                       help='sequences to judge on (default %(default)s)')
    judge.add_argument('--only', nargs='+', choices=ASSOCIATION_METHODS,
                       default=ASSOCIATION_METHODS, metavar='METHOD',
                       help=f'some of {", ".join(ASSOCIATION_METHODS)}')
    judge.add_argument('--cache', type=Path, metavar='DIR',
                       help='keep what is read there for the next time')
    judge.add_argument('--model', type=Path, metavar='FILE',
                       help='of utt train; without it nothing is translated')
    text = 'the likelihoods of live association from recordings with labels, their val split'
    fitting = benches.add_parser('fit-association', help=f'fit {text}', description=f'Fit {text}.')
    fitting.set_defaults(run=_fit_association)
    fitting.add_argument('--model', type=Path, metavar='FILE', required=True,
                         help='of utt train, from the train split of the same recordings')
    fitting.add_argument('--out', type=Path, metavar='FILE', required=True,
                         help='file to write, for association_scorers')
    fitting.add_argument('--seed', type=int, default=0, help='(default %(default)s)')
    for parser in (judge, fitting):
        parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                            help='recordings: bags by area, or the Vi-Fi layout')


def _association(options: argparse.Namespace) -> int:
    data = read_recordings(options.data, options.cache)
    results = {}
    for method, complete, reduced in replay_split(
            data, options.split, options.model, options.only):
        print(f'{method} is judged', file=sys.stderr)
        results[method] = complete, reduced
    print(association_table(results))
    for method in results:
        if method != 'labels':
            match_ms, share = match_cost(method, options.model, data.window)
            print(f'{method}: a match of 20 tracks and 20 phones {match_ms:.0f} ms, '
                  f'{100.0 * share:.1f} % of a core')
    return 0


def _fit_association(options: argparse.Namespace) -> int:
    data = read_recordings(options.data, None)
    fit_scorers_file(data, options.model, options.out, options.seed)
    print(options.out)
    return 0


def _train(options: argparse.Namespace) -> int:
    found = measure_throughput(options.steps, options.repeats)
    print(f'ours {found["ours"]:.0f} windows/s, one operation after the other '
          f'{found["naive"]:.0f} windows/s: {found["ratio"]:.2f} times as fast')
    return 0


def _live(options: argparse.Namespace) -> int:
    os.environ['ROS_DOMAIN_ID'] = str(options.domain)
    with TemporaryDirectory(prefix='utt_bench_') as temporary:
        folder = (options.logs or Path(temporary)).absolute()
        results = _measure(options, folder)
    print(live_report.results_table(results))
    if options.json:
        text = json.dumps(live_report.results_as_json(results), indent=1)
        write_atomically(options.json, text.encode())
    return 0


def _measure(options: argparse.Namespace, folder: Path) -> dict[str, LiveResult]:
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder)
    scenarios = make_scenarios(options.phones, folder)
    timing = Timing(options.warm_up, options.seconds)
    results = {}
    for name in options.only:
        print(f'measuring {scenarios[name].title} ...', file=sys.stderr)
        results[name] = run_scenario(
            scenarios[name], options.phones, timing, folder / name, sys.stderr)
    return results


def _number(kind: Callable[[str], float], name: str) -> Callable[[str], float]:
    """Make a reader of a number within its limits."""
    low, high = LIMITS[name]

    def read(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f'{text}: it must be within {low}..{high}')
        return value

    read.__name__ = kind.__name__
    return read

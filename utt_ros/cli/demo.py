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

"""`utt demo`: replay simulated or recorded sessions, train the areas together, evaluate them."""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from tqdm import tqdm

from utt_ros.cli import demo_live, import_
from utt_ros.demo.building_stage import report_building, simulate_building
from utt_ros.demo.demo_page import demo_page
from utt_ros.demo.model_scores import ModelScores
from utt_ros.demo.operation_costs import operation_costs
from utt_ros.demo.operations_stage import (
    PerformedOperation,
    perform_operations,
    plan_demo_operations,
)
from utt_ros.demo.replay_stage import ReplayRun, replay_rate, run_replay
from utt_ros.demo.replay_summary import seconds_since_start, summarize_replay
from utt_ros.demo.scenes import DemoArea, find_demo_areas
from utt_ros.demo.summary_table import replay_table
from utt_ros.errors import ModelError, SessionError, UttError
from utt_ros.federation.checkpoints import (
    Checkpoint,
    list_checkpoints,
    read_checkpoint,
    read_round_log,
)
from utt_ros.files import write_atomically
from utt_ros.orchestration.discovery import use_reach
from utt_ros.sessions.simulator.drawn_plan import FLOOR_PLAN

EXAMPLES = """
examples:
  utt demo
  utt demo --sessions recordings --rounds 12
  utt demo --live                          simulated phones and a camera, read by real drivers

The training sessions are replayed in a loop until the rounds are completed. Then others, which no
trainer receives, are replayed once to evaluate the twins; if simulated, people cross all areas of
a building. With --live the drivers of one area read simulated sensors over loopback instead.
"""
SECONDS_PER_ROUND_AND_AREA = 30.0  # a time limit
MIN_LIMIT_S = 300.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `utt demo`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('--sessions', type=Path, metavar='DIR',
                        help='bags by area, or recordings in the Vi-Fi layout (default: simulate)')
    parser.add_argument('--out', type=Path, default=Path('out/demo'), metavar='DIR',
                        help='folder of the results, replaced if it exists (default: out/demo)')
    parser.add_argument('--rounds', type=int, default=8, metavar='N', help='(default: 8)')
    parser.add_argument('--seed', type=int, default=0, metavar='S',
                        help='seed of the simulation (default: 0)')
    parser.add_argument('--live', action='store_true',
                        help='one area with drivers, phones and a camera instead of recordings')
    parser.add_argument('--seconds', type=float, default=75.0, metavar='N',
                        help='with --live: simulated time [s] (default: 75)')
    parser.add_argument('--no-view', dest='view', action='store_false',
                        help='serve no page on which it can be watched')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demonstration. Raises UttError."""
    use_reach(())
    if args.rounds < 1:
        raise UttError(f'--rounds is {args.rounds}: it must be at least 1')
    if args.live and args.sessions:
        raise UttError('--live excludes --sessions')
    _check_sessions(args.sessions, args.out)
    if args.live:
        demo_live.check_seconds(args.seconds)
    out = _empty(args.out)
    with demo_page(out / 'log' / 'view.log') if args.view else nullcontext('') as page:
        if page:
            _log(f'watch it at {page}')
        return demo_live.run_live_demo(args, out) if args.live else _run_replayed(args, out)


def _run_replayed(args: argparse.Namespace, out: Path) -> int:
    first_line_s = seconds_since_start()
    areas = find_demo_areas(_sessions(args, out), out / 'areas')
    names = ', '.join(f'{area.name} ({"+".join(area.settings.modalities)})' for area in areas)
    _log(f'{len(areas)} areas: {names}')
    rate = replay_rate(len(areas), os.cpu_count() or 1)
    performed = _train(areas, args.rounds, out, rate)
    log = [status for status in read_round_log(out / 'state' / 'aggregator')
           if status.state == 'completed']
    if not log:
        raise UttError(f'no round was completed; logs are in {out / "log"}')
    floor_plan = None if args.sessions else out / 'sessions' / FLOOR_PLAN
    models = _global_models(out)
    scores = ModelScores(areas, models)
    _test(areas, len(log), out, rate, floor_plan)
    _log('evaluating')
    summary = summarize_replay(areas, log, out, rate, scores)
    summary['operations'] = operation_costs(performed, areas, models[0])
    if floor_plan:
        summary['building'] = report_building(
            areas, out / 'test', floor_plan, out / 'building.png')
    summary |= {'first_line_s': first_line_s, 'wall_s': seconds_since_start()}
    write_atomically(out / 'summary.json', json.dumps(summary, indent=2, allow_nan=False).encode())
    print(replay_table(summary))
    picture = out / ('building.png' if floor_plan else 'map.png')
    print(f'\n{out / "summary.json"}\n{out / "demo.gif"}\n{picture}')
    return 0


def _empty(out: Path) -> Path:
    """Create an empty folder; results of an earlier demonstration are deleted."""
    if out.exists() and any(out.iterdir()) and not (out / 'areas').is_dir():
        raise UttError(f'{out} exists and is not the folder of an earlier demonstration: it is '
                       'not replaced')
    shutil.rmtree(out, ignore_errors=True)
    (out / 'areas').mkdir(parents=True)
    return out.absolute()


def _check_sessions(source: Path | None, out: Path) -> None:
    """Refuse sessions that are no folder, or that replacing `out` would delete."""
    if source is None:
        return
    if not source.is_dir():
        raise SessionError(f'{source} is not a folder')
    if source.resolve().is_relative_to(out.resolve()):
        raise UttError(f'{source} lies in {out}, which is replaced: choose another --out')


def _sessions(args: argparse.Namespace, out: Path) -> Path:
    """Return the folder of bags: given, imported into `out`, or simulated there."""
    source, bags = args.sessions, out / 'sessions'
    if source is None:
        _log('simulating a building of three areas, the last one without a camera, area1 with one '
             'access point')
        simulate_building(bags, args.seed)
        return bags
    if not (source / 'seqs').is_dir():
        return Path(source)
    _log(f'importing {source}')
    code = import_.run(argparse.Namespace(
        layout='vifi', source=source, out=bags, jobs=2, split=None, force=False))
    if code:
        raise SessionError(f'{source}: no sequence could be imported')
    return bags


def _train(
    areas: Sequence[DemoArea], rounds: int, out: Path, rate: float,
) -> list[PerformedOperation]:
    """Train until the rounds are completed, then make task twins while the areas still run."""
    if rate < 1.0:
        _log(f'replaying at {rate:g} times the recorded speed, so that {len(areas)} areas can '
             f'train on {os.cpu_count()} cores')
    log = _aggregator(out) / 'rounds.jsonl'
    limit_s = max(MIN_LIMIT_S, SECONDS_PER_ROUND_AND_AREA * rounds * len(areas))
    end_s = time.monotonic() + limit_s
    replay_run = ReplayRun(out, out / 'training', rounds, 60.0, min_round=0, learn=True, rate=rate)
    performed: list[PerformedOperation] = []
    with tqdm(total=rounds, desc='training', unit='round', disable=None) as bar:

        def watch() -> bool:
            done = log.read_bytes().count(b'\n') if log.exists() else 0
            bar.update(done - bar.n)
            if done < rounds:
                return time.monotonic() > end_s
            bar.close()
            performed.extend(perform_operations(plan_demo_operations(areas), _log))
            return True

        run_replay(areas, replay_run, watch)
    return performed


def _test(
    areas: Sequence[DemoArea], rounds: int, out: Path, rate: float, floor_plan: Path | None,
) -> None:
    replay_run = ReplayRun(
        out, out / 'test', rounds, 60.0, min_round=rounds, learn=False, rate=rate,
        floor_plan=floor_plan)
    with tqdm(desc='testing', unit='s', disable=None, bar_format='{desc} {elapsed}') as bar:

        def watch() -> bool:
            bar.refresh()
            return False

        run_replay(areas, replay_run, watch)


def _global_models(out: Path) -> list[Checkpoint]:
    """Read the untrained model and the last one. Raises ModelError."""
    paths = list_checkpoints(_aggregator(out))
    models = [read_checkpoint(path) for path in (paths[0], paths[-1])]
    if models[0].round != 0:
        raise ModelError(f'the oldest model in {out / "state"} is of round {models[0].round}: '
                         'it must be 0')
    return models


def _aggregator(out: Path) -> Path:
    return out / 'state' / 'aggregator'


def _log(text: str) -> None:
    print(f'demo: {text}', file=sys.stderr, flush=True)

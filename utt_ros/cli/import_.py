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

"""`utt import`: convert recordings of another layout to bags."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from utt_ros.errors import SessionError, UttError
from utt_ros.parameter_files import AREA_FILE
from utt_ros.sessions.session_bags import is_bag, write_area
from utt_ros.sessions.vifi.dataset_layout import VifiRecording, area_settings, find_recordings
from utt_ros.sessions.vifi.importer import import_recording
from utt_ros.settings import AreaSettings

EXAMPLES = """
examples:
  utt import vifi ~/RAN4model_dfv4p4 --out sessions
  utt import vifi ~/RAN4model_dfv4p4 --out sessions --split train val --jobs 4

Every scene becomes DIR/<area> with an area.yaml, every sequence a bag in it. A sequence that
cannot be read is reported and skipped. Complete bags are kept, so a stopped import continues
where it stopped.
"""

ImportJob = tuple[VifiRecording, AreaSettings, Path]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt import`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('layout', choices=['vifi'], help='layout of the recordings')
    parser.add_argument('source', type=Path, metavar='SRC', help='top folder of the recordings')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='folder for the bags')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, metavar='N',
                        help='number of parallel processes (default: one per core)')
    parser.add_argument('--split', nargs='+', choices=['train', 'val', 'test'], metavar='SPLIT',
                        help='import only sequences of these splits: train, val, test')
    parser.add_argument('--force', action='store_true',
                        help='overwrite complete bags and area.yaml')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import recordings; return 1 when every sequence failed."""
    recordings = [item for item in find_recordings(args.source)
                  if not args.split or item.split in args.split]
    if not recordings:
        raise SessionError(f'{args.source}: no sequence in split {" ".join(args.split)}')
    areas = {}
    for name in sorted({item.area for item in recordings}):
        areas[name] = area_settings(args.source, name, recordings)
        if args.force or not (args.out / name / AREA_FILE).exists():
            write_area(areas[name], args.out / name)
    jobs = [(item, areas[item.area], args.out / item.area / item.name) for item in recordings]
    wanted = [job for job in jobs if args.force or not is_bag(job[2])]
    failed, discarded = 0, Counter[str]()
    results = _run_jobs(wanted, args.jobs)
    for job, result in tqdm(results, total=len(wanted), unit='sequence', disable=None):
        if isinstance(result, UttError):
            failed += 1
            tqdm.write(f'{job[0].area}/{job[0].name} is skipped: {result}', file=sys.stderr)
        else:
            discarded += result
    kept = len(jobs) - len(wanted)
    print(f'{len(wanted) - failed} written, {kept} kept, {failed} skipped: {args.out}')
    if discarded:
        reasons = ', '.join(f'{discarded[reason]} {reason}' for reason in sorted(discarded))
        print(f'rows discarded or reordered: {reasons}')
    return 1 if failed == len(jobs) else 0


def _run_jobs(
        jobs: Sequence[ImportJob], processes: int,
) -> Iterator[tuple[ImportJob, Counter[str] | UttError]]:
    if processes <= 1 or len(jobs) <= 1:
        yield from ((job, _import(job)) for job in jobs)
        return
    with ProcessPoolExecutor(min(processes, len(jobs)), mp_context=get_context('spawn')) as pool:
        futures = {pool.submit(_import, job): job for job in jobs}
        for future in as_completed(futures):
            job = futures[future]
            try:
                yield job, future.result()
            except BrokenExecutor as err:
                yield job, SessionError(f'{job[0].folder}: its process died: {err}')


def _import(job: ImportJob) -> Counter[str] | UttError:
    try:
        return import_recording(*job)
    except UttError as err:
        return err

"""`utt import`: recordings in another layout become bags."""

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
from utt_ros.sessions.session_bags import is_bag, write_area
from utt_ros.sessions.vifi.dataset_layout import Recording, area_settings, find_recordings
from utt_ros.sessions.vifi.importer import import_recording
from utt_ros.settings import AREA_FILE, AreaSettings

EXAMPLES = """
examples:
  utt import vifi ~/RAN4model_dfv4p4 --out sessions
  utt import vifi ~/RAN4model_dfv4p4 --out sessions --split train val --jobs 4

Every scene becomes DIR/<area> with an area.yaml, every sequence a bag in it. A sequence that
cannot be read is named and left out. Bags that are complete are kept, so an import that was
stopped goes on where it was.
"""

Job = tuple[Recording, AreaSettings, Path]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt import`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('layout', choices=['vifi'], help='layout of the recordings')
    parser.add_argument('source', type=Path, metavar='SRC', help='top folder of the recordings')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='where bags go')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, metavar='N',
                        help='processes that work at once (default: one per core)')
    parser.add_argument('--split', nargs='+', choices=['train', 'val', 'test'], metavar='SPLIT',
                        help='take only sequences of these splits: train, val, test')
    parser.add_argument('--force', action='store_true', help='write bags anew that are complete')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Import; exit code 1 when every sequence failed."""
    recordings = [item for item in find_recordings(options.source)
                  if not options.split or item.split in options.split]
    if not recordings:
        raise SessionError(f'{options.source}: no sequence in split {" ".join(options.split)}')
    areas = {}
    for name in sorted({item.area for item in recordings}):
        areas[name] = area_settings(options.source, name, recordings)
        if options.force or not (options.out / name / AREA_FILE).exists():
            write_area(areas[name], options.out / name)
    jobs = [(item, areas[item.area], options.out / item.area / item.name) for item in recordings]
    wanted = [job for job in jobs if options.force or not is_bag(job[2])]
    failed, tally = 0, Counter[str]()
    work = _work(wanted, options.jobs)
    for job, result in tqdm(work, total=len(wanted), unit='sequence', disable=None):
        if isinstance(result, UttError):
            failed += 1
            tqdm.write(f'{job[0].area}/{job[0].name} is left out: {result}', file=sys.stderr)
        else:
            tally += result
    kept = len(jobs) - len(wanted)
    print(f'{len(wanted) - failed} written, {kept} kept, {failed} left out: {options.out}')
    if tally:
        print('rows sorted out:', ', '.join(f'{tally[why]} {why}' for why in sorted(tally)))
    return 1 if failed == len(jobs) else 0


def _work(
        jobs: Sequence[Job], processes: int,
) -> Iterator[tuple[Job, Counter[str] | UttError]]:
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


def _import(job: Job) -> Counter[str] | UttError:
    try:
        return import_recording(*job)
    except UttError as err:
        return err

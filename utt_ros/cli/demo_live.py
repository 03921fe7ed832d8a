"""`utt demo --live`: an area that hears simulated phones and a simulated camera."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from tqdm import tqdm

from utt_ros.demo.live_scores import LiveSession, live_summary
from utt_ros.demo.live_stage import LiveRun, free_ports, run_live, write_area_file
from utt_ros.demo.summary_table import live_table
from utt_ros.errors import UttError
from utt_ros.files import write_atomically
from utt_ros.orchestration.graph import read_area_plan
from utt_ros.sessions.simulator.live_world import live_session_plan
from utt_ros.sessions.simulator.world import START_NS, simulate_session

MIN_SECONDS, MAX_SECONDS = 20.0, 3600.0
# The driver knocks in vain until the camera is there, which OpenCV would tell each time.
QUIET = {'OPENCV_LOG_LEVEL': 'ERROR', 'OPENCV_FFMPEG_LOGLEVEL': '8'}


def run(options: argparse.Namespace, out: Path) -> int:
    """Run in an empty folder that has a folder `areas`. Raises UttError."""
    if not MIN_SECONDS <= options.seconds <= MAX_SECONDS:
        raise UttError(f'--seconds is {options.seconds:g}: {MIN_SECONDS:g}..{MAX_SECONDS:g}')
    show = LiveRun(out, options.seed, options.seconds, free_ports())
    write_area_file(show)
    print(f'demo: {show.file}: starting its nodes; then people walk for {show.seconds:g} s',
          file=sys.stderr, flush=True)
    _watch(show)
    session = simulate_session(live_session_plan(show.seed, show.seconds))
    begin_ns = int(show.begin.read_text(encoding='ascii'))
    scene = LiveSession(read_area_plan(show.file).settings, session, START_NS, begin_ns, show.seed)
    found = live_summary(show.bag, scene)
    text = json.dumps(found, indent=2, allow_nan=False)
    write_atomically(out / 'summary.json', text.encode())
    print(f'{live_table(found)}\n\n{out / "summary.json"}')
    return 0


def _watch(show: LiveRun) -> None:
    total = round(show.seconds)
    with tqdm(total=total, desc='walking', unit='s', disable=None) as bar:

        def watch() -> None:
            if show.begin.exists():
                gone_s = time.time() - int(show.begin.read_text(encoding='ascii')) / 1e9
                bar.update(min(max(0, round(gone_s)), total) - bar.n)

        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        run_live(show, watch)

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

"""`utt demo --live`: drivers of one area read simulated phones and a simulated camera."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from tqdm import tqdm

from utt_ros.demo.live_scores import LiveSession, live_summary
from utt_ros.demo.live_stage import LiveRun, run_live
from utt_ros.demo.summary_table import live_table
from utt_ros.errors import UttError
from utt_ros.files import write_atomically
from utt_ros.orchestration.launch_plan import read_area_plan
from utt_ros.sessions.simulator.live_area import free_ports, write_live_area
from utt_ros.sessions.simulator.live_world import live_session_plan
from utt_ros.sessions.simulator.world import START_NS, simulate_session

MIN_SECONDS, MAX_SECONDS = 20.0, 3600.0
# OpenCV would log every attempt to open the camera before it is available.
QUIET = {'OPENCV_LOG_LEVEL': 'ERROR', 'OPENCV_FFMPEG_LOGLEVEL': '8'}


def check_seconds(seconds: float) -> None:
    """Raise UttError for a simulated time outside its limits."""
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise UttError(f'--seconds is {seconds:g}: {MIN_SECONDS:g}..{MAX_SECONDS:g}')


def run_live_demo(args: argparse.Namespace, out: Path) -> int:
    """Run in a folder that contains nothing but an empty folder `areas`. Raises UttError."""
    live_run = LiveRun(out, args.seed, args.seconds, free_ports())
    write_live_area(live_run.file, args.seed, live_run.ports)
    print(f'demo: {live_run.file}: starting the nodes; '
          f'then people walk for {live_run.seconds:g} s', file=sys.stderr, flush=True)
    _watch(live_run)
    session = simulate_session(live_session_plan(live_run.seed, live_run.seconds))
    begin_ns = int(live_run.begin.read_text(encoding='ascii'))
    live_session = LiveSession(
        read_area_plan(live_run.file).settings, session, START_NS, begin_ns, live_run.seed)
    summary = live_summary(live_run.bag, live_session)
    text = json.dumps(summary, indent=2, allow_nan=False)
    write_atomically(out / 'summary.json', text.encode())
    print(f'{live_table(summary)}\n\n{out / "summary.json"}')
    return 0


def _watch(live_run: LiveRun) -> None:
    total = round(live_run.seconds)
    with tqdm(total=total, desc='walking', unit='s', disable=None) as bar:

        def watch() -> None:
            if live_run.begin.exists():
                elapsed_s = time.time() - int(live_run.begin.read_text(encoding='ascii')) / 1e9
                bar.update(min(max(0, round(elapsed_s)), total) - bar.n)

        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        run_live(live_run, watch)

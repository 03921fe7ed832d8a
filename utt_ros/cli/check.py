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

"""`utt check`: read the sensors of an area before it is started."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from utt_ros.cli.driver_config import read_driver_config
from utt_ros.cli.survey_check import (
    MIN_SURVEY_S,
    session_of_samples,
    survey_findings,
    without_images,
)
from utt_ros.cli.survey_output import read_survey_bags
from utt_ros.drivers.reader import ReaderStatus, SourceReader
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import CameraFrame, MagneticSample
from utt_ros.errors import SettingsError
from utt_ros.orchestration.area_frames import coinciding_areas
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan, read_area_plan
from utt_ros.orchestration.phone_sources import describe_group, phone_groups
from utt_ros.text_table import align_columns
from utt_ros.types import NS_PER_S

EXAMPLES = """
examples:
  utt check hall.yaml
  utt check hall.yaml --seconds 30         the drift of a clock takes 20 s
  utt check hall.yaml stairs.yaml          two areas of a building, one after the other

  utt check hall.yaml --seconds 60         while people walk: camera and yaw of the area as well
  utt check hall.yaml --bag walks/hall/*   the same from recordings, without sensors

Reads the source of every driver in the area file, as its node would, without ROS. Stop the area
first: a port and a camera have one reader. Exit code 1: a source or a phone was silent, or
areas name one port and cannot share it.
"""
CHECK_COLUMNS = (
    'sensor', 'source', 'from', 'rate [Hz]', 'age [s]', 'clock offset [s]', 'drift [ppm]')
CLOCK_VALUES = ('offset_s', 'drift_ppm', 'spread_s')  # of a phone; two have columns
CAMERA_STREAM, NO_STREAM = 'camera', '(nobody)'
CHECK_POLL_S = 0.1
MAX_SURVEY_SAMPLES = 300_000  # of a source: those of four phones in five minutes


@dataclass(slots=True)
class SampleStream:
    """Number of samples, and stamps of the first and the last [ns]."""

    count: int
    first_ns: int
    last_ns: int

    def rate(self) -> str:
        """Format the rate of the samples' stamps [Hz]."""
        span_ns = self.last_ns - self.first_ns
        return f'{(self.count - 1) * NS_PER_S / span_ns:.1f}' if span_ns > 0 else '-'


@dataclass(slots=True)
class SourceCheck:
    """Check of one driver's source; without a reader it cannot be read."""

    kind: str
    name: str = '-'
    phones: tuple[str, ...] = ()  # required ones
    source: Source[Any] | None = None
    reader: SourceReader | None = None
    streams: dict[str, SampleStream] = field(default_factory=dict)
    samples: list[Any] = field(default_factory=list)  # for a survey
    remarks: list[str] = field(default_factory=list)
    last_error: str = ''  # while it was lost; it may be open again at the end
    failed: bool = False

    def take(self) -> None:
        """Count new samples."""
        if self.reader is None:
            return
        self.last_error = self.reader.status().error or self.last_error
        for sample in self.reader.take():
            if len(self.samples) < MAX_SURVEY_SAMPLES:
                self.samples.append(without_images(sample))
            name = CAMERA_STREAM if isinstance(sample, CameraFrame) else sample.phone
            name += ' (magnetic)' if isinstance(sample, MagneticSample) else ''
            stream = self.streams.setdefault(name, SampleStream(0, sample.stamp_ns, 0))
            stream.count, stream.last_ns = stream.count + 1, sample.stamp_ns

    def evaluate(self, status: ReaderStatus) -> None:
        """Decide whether the check failed, and add remarks."""
        silent = [phone for phone in self.phones if phone not in self.streams]
        self.failed |= bool(silent) or not self.streams
        if status.error:
            self.remarks.append(status.error)
        elif not self.streams:
            self.remarks.append(self.last_error or 'it is open and silent: does any device send?')
        if silent and self.streams:
            self.remarks.append(f'nothing from {", ".join(silent)}')
        counts = {'dropped': status.dropped, **dict(sorted(status.refused.items()))}
        refused = [f'{key} {count}' for key, count in counts.items() if count]
        if refused:
            self.remarks.append(f'refused: {", ".join(refused)}')


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('areas', type=Path, nargs='+', metavar='AREA', help='area file')
    parser.add_argument('--seconds', type=float, default=5.0, metavar='N',
                        help='duration of reading (default: 5)')
    parser.add_argument('--bag', type=Path, nargs='+', default=[], metavar='BAG',
                        help='check the settings of one area by its recordings, read no sensor')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read all sources of an area in parallel and print a report. Raises SettingsError."""
    if not 0.1 <= args.seconds <= 3600.0:
        raise SettingsError(f'--seconds is {args.seconds:g}: 0.1..3600')
    areas = [read_area_plan(path) for path in args.areas]
    if args.bag:
        return _check_recordings(areas, args.bag)
    for path, area in zip(args.areas, areas, strict=True):
        if not area.drivers:
            raise SettingsError(f'{path} lists no drivers, so there is nothing to check')
    failed = [_check_area(area, args.seconds) for area in areas]
    for sentence in coinciding_areas([area.settings for area in areas]):
        print(sentence)
    is_shareable = _describe_sharing(areas)
    return int(any(failed) or not is_shareable)


def _describe_sharing(areas: Sequence[AreaPlan]) -> bool:
    """Print which areas share a source; return false where `utt run` refuses their ports."""
    try:
        groups = phone_groups(LaunchPlan(tuple(areas)))
    except SettingsError as err:
        print(err)
        return False
    for group in groups:
        if len(group) > 1:
            print(describe_group(group))
    return True


def _check_recordings(areas: Sequence[AreaPlan], bags: Sequence[Path]) -> int:
    """Print what walks in recordings say about an area. Raises UttError."""
    if len(areas) != 1:
        raise SettingsError('--bag checks one area: give one area file before it')
    (area,) = areas
    if area.assumed:
        print(area.assumptions())
    for finding in survey_findings(read_survey_bags(bags, area.settings), area.settings):
        print(finding)
    return 0


def _check_area(area: AreaPlan, seconds: float) -> bool:
    """Print the report of an area; return whether a source or a phone was silent."""
    checks = [check_source(area, kind) for kind in area.drivers]
    print(f'{area.name}: reading for {seconds:g} s', file=sys.stderr)
    try:
        read_sources(checks, seconds)
        print(check_report(checks, time.time_ns()))
        if area.assumed:
            print(area.assumptions())
        if seconds >= MIN_SURVEY_S:
            samples = [sample for check in checks for sample in check.samples]
            for finding in survey_findings(
                    [session_of_samples(area.name, samples)], area.settings):
                print(finding)
    finally:
        for check in checks:
            if check.reader is not None:
                check.reader.stop()
    return any(check.failed for check in checks)


def check_report(checks: Sequence[SourceCheck], now_ns: int) -> str:
    """Format a row per stream, followed by remarks on each source."""
    rows = [row for check in checks for row in _rows(check, now_ns)]
    remarks = [f'{check.kind}: {remark}' for check in checks for remark in _remarks(check)]
    return '\n'.join([*align_columns(CHECK_COLUMNS, rows, left=3), *remarks])


def check_source(area: AreaPlan, kind: str) -> SourceCheck:
    check = SourceCheck(kind)
    try:
        config = read_driver_config(area, kind)
        check.name, check.phones = config.name, config.phones
        if config.make is None:
            check.remarks.append('not read: topics need ROS, see `ros2 topic hz`')
            return check
        check.source = config.make()
    except SettingsError as err:
        check.remarks.append(str(err))
        check.failed = True
        return check
    check.reader = SourceReader(check.source, config.reader, lambda: None)
    return check


def read_sources(checks: Sequence[SourceCheck], seconds: float) -> None:
    running = [(check, check.reader) for check in checks if check.reader is not None]
    for _, reader in running:
        reader.start()
    end_s = time.monotonic() + seconds
    while running and time.monotonic() < end_s:
        time.sleep(CHECK_POLL_S)
        for check, _ in running:
            check.take()
    for check, reader in running:
        check.evaluate(reader.status())


def _rows(check: SourceCheck, now_ns: int) -> Iterator[list[str]]:
    status = check.source.status() if check.source is not None else {}
    for name, stream in sorted(check.streams.items()):
        clock = [str(status.get(f'{name}.{key}', '-')) for key in CLOCK_VALUES[:2]]
        age_s = (now_ns - stream.last_ns) / NS_PER_S
        yield [check.kind, check.name, name, stream.rate(), f'{age_s:.2f}', *clock]
    if not check.streams:
        yield [check.kind, check.name, NO_STREAM, *'----']


def _remarks(check: SourceCheck) -> Iterator[str]:
    status = check.source.status() if check.source is not None else {}
    values = [f'{key} {value}' for key, value in status.items()
              if key.rpartition('.')[2] not in CLOCK_VALUES and str(value)]
    if values:
        yield ', '.join(values)
    yield from check.remarks

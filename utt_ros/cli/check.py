"""`utt check`: whether the sensors of an area say something, before anything is started."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from utt_ros.cli.driver_config import configured
from utt_ros.drivers.reader import ReaderStatus, SourceReader
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import CameraFrame, MagneticSample
from utt_ros.errors import SettingsError
from utt_ros.orchestration.graph import AreaPlan, read_area_plan
from utt_ros.text_table import align_columns
from utt_ros.types import NS_PER_S

EXAMPLES = """
examples:
  utt check hall.yaml
  utt check hall.yaml --seconds 30         the drift of a clock takes 20 s

Reads the source of every driver that the area file lists, as its node would, without ROS. Stop the
area first: a port and a camera can be had once. Exit code 1: something said nothing.
"""
HEAD = ('sensor', 'source', 'from', 'rate [Hz]', 'age [s]', 'clock offset [s]', 'drift [ppm]')
CLOCK = ('offset_s', 'drift_ppm', 'spread_s')  # of a phone; they have columns
CAMERA, NOBODY = 'camera', '(nobody)'
POLL_S = 0.1


@dataclass(slots=True)
class Heard:
    """How many samples came, and the stamps of the first and the last [ns]."""

    count: int
    first_ns: int
    last_ns: int

    def rate(self) -> str:
        """Samples per second of their own stamps [Hz]."""
        span_ns = self.last_ns - self.first_ns
        return f'{(self.count - 1) * NS_PER_S / span_ns:.1f}' if span_ns > 0 else '-'


@dataclass(slots=True)
class Trial:
    """The source of one driver; without a pump it could not be tried."""

    kind: str
    name: str = '-'
    phones: tuple[str, ...] = ()  # that must be heard
    source: Source[Any] | None = None
    reader: SourceReader | None = None
    heard: dict[str, Heard] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    last_trouble: str = ''  # while it was lost; it may be opened again by the end
    failed: bool = False

    def take(self) -> None:
        """Count what has come."""
        if self.reader is None:
            return
        self.last_trouble = self.reader.status().error or self.last_trouble
        for sample in self.reader.take():
            who = CAMERA if isinstance(sample, CameraFrame) else sample.phone
            who += ' (magnetic)' if isinstance(sample, MagneticSample) else ''
            heard = self.heard.setdefault(who, Heard(0, sample.stamp_ns, 0))
            heard.count, heard.last_ns = heard.count + 1, sample.stamp_ns

    def judge(self, status: ReaderStatus) -> None:
        """Note what is remarkable."""
        silent = [phone for phone in self.phones if phone not in self.heard]
        self.failed |= bool(silent) or not self.heard
        if status.error:
            self.troubles.append(status.error)
        elif not self.heard:
            self.troubles.append(
                self.last_trouble or 'it is open and says nothing: does anybody send?')
        if silent and self.heard:
            self.troubles.append(f'nothing from {", ".join(silent)}')
        counts = {'dropped': status.dropped, **dict(sorted(status.refused.items()))}
        refused = [f'{reason} {count}' for reason, count in counts.items() if count]
        if refused:
            self.troubles.append(f'refused: {", ".join(refused)}')


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt check`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('area', type=Path, metavar='AREA', help='area file')
    parser.add_argument('--seconds', type=float, default=5.0, metavar='N',
                        help='how long to read (default: 5)')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read all sources at once and report. Raises SettingsError."""
    if not 0.1 <= options.seconds <= 3600.0:
        raise SettingsError(f'--seconds is {options.seconds:g}: 0.1..3600')
    area = read_area_plan(options.area)
    if not area.drivers:
        raise SettingsError(f'{options.area} lists no drivers, so there is nothing to check')
    trials = [_trial(area, kind) for kind in area.drivers]
    print(f'{area.name}: reading for {options.seconds:g} s', file=sys.stderr)
    try:
        _read(trials, options.seconds)
        print(report(trials, time.time_ns()))
    finally:
        for trial in trials:
            if trial.reader is not None:
                trial.reader.stop()
    return int(any(trial.failed for trial in trials))


def report(trials: Sequence[Trial], now_ns: int) -> str:
    """Write a line per phone, and below what is remarkable about each source."""
    rows = [row for trial in trials for row in _rows(trial, now_ns)]
    remarks = [f'{trial.kind}: {remark}' for trial in trials for remark in _remarks(trial)]
    return '\n'.join([*align_columns(HEAD, rows, left=3), *remarks])


def _trial(area: AreaPlan, kind: str) -> Trial:
    trial = Trial(kind)
    try:
        told = configured(area, kind)
        trial.name, trial.phones = told.name, told.phones
        if told.make is None:
            trial.troubles.append('not tried: its topics take ROS, look with `ros2 topic hz`')
            return trial
        trial.source = told.make()
    except SettingsError as err:
        trial.troubles.append(str(err))
        trial.failed = True
        return trial
    trial.reader = SourceReader(trial.source, told.reader, lambda: None)
    return trial


def _read(trials: Sequence[Trial], seconds: float) -> None:
    running = [(trial, trial.reader) for trial in trials if trial.reader is not None]
    for _, reader in running:
        reader.start()
    end_s = time.monotonic() + seconds
    while running and time.monotonic() < end_s:
        time.sleep(POLL_S)
        for trial, _ in running:
            trial.take()
    for trial, reader in running:
        trial.judge(reader.status())


def _rows(trial: Trial, now_ns: int) -> Iterator[list[str]]:
    status = trial.source.status() if trial.source is not None else {}
    for who, heard in sorted(trial.heard.items()):
        clock = [str(status.get(f'{who}.{key}', '-')) for key in ('offset_s', 'drift_ppm')]
        age_s = (now_ns - heard.last_ns) / NS_PER_S
        yield [trial.kind, trial.name, who, heard.rate(), f'{age_s:.2f}', *clock]
    if not trial.heard:
        yield [trial.kind, trial.name, NOBODY, *'----']


def _remarks(trial: Trial) -> Iterator[str]:
    status = trial.source.status() if trial.source is not None else {}
    own = [f'{key} {value}' for key, value in status.items()
           if key.rpartition('.')[2] not in CLOCK]
    if own:
        yield ', '.join(own)
    yield from trial.troubles

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

"""A data set of one's own, from CSV files to a bag that every command of `utt` reads.

    python examples/own_dataset.py --out sessions/hall/monday

It writes made-up CSV files first; replace `write_csv` by your own. The files of a phone:

    ftm.csv    stamp_s, range_m, std_m
    imu.csv    stamp_s, accel x y z [m/s^2], gyro x y z [rad/s], mag x y z [T]; phone frame
    boxes.csv  stamp_s, center x y [px], depth [m], width, height [px]; nan: depth unknown
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from utt_ros import (
    AreaSettings,
    WindowSettings,
    cut_windows,
    read_session,
    synchronize,
    write_area,
    write_session,
)
from utt_ros.types import Frames, PhoneStreams, Session

SUBJECT = 'anna'


def write_csv(folder: Path) -> None:
    """Write 20 s of somebody who walks away from the camera at 0.3 m/s."""
    def save(name: str, rate_hz: float, *columns: object) -> None:
        times_s = np.arange(0, 20, 1 / rate_hz)
        made = [column(times_s) if callable(column) else np.full_like(times_s, column)
                for column in columns]
        np.savetxt(folder / name, np.stack([times_s, *made], axis=1), delimiter=',')

    save('ftm.csv', 3, lambda t: 3 + 0.3 * t, 0.4)
    save('imu.csv', 100, 0, 0, lambda t: 9.8 + np.sin(4 * np.pi * t), 0, 0, 0, 0, 2e-5, -4e-5)
    save('boxes.csv', 10, 640, lambda t: 360 + 200 / (3 + 0.3 * t), lambda t: 3 + 0.3 * t,
         lambda t: 400 / (3 + 0.3 * t), lambda t: 1200 / (3 + 0.3 * t))


def read_csv(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return stamps (N,) [ns] and values (N, F) of a file."""
    rows = np.loadtxt(folder / name, delimiter=',')
    return np.rint(rows[:, 0] * 1e9).astype(np.int64), rows[:, 1:].astype(np.float32)


def make_session(folder: Path, area: str, name: str) -> Session:
    """Collect the files of one recording; its split decides what it is used for."""
    ftm_ns, ftm = read_csv(folder, 'ftm.csv')
    imu_ns, imu = read_csv(folder, 'imu.csv')
    boxes_ns, boxes = read_csv(folder, 'boxes.csv')
    frames = Frames(boxes_ns, np.arange(len(boxes) + 1), boxes,
                    subjects=(SUBJECT,) * len(boxes), track_ids=('0',) * len(boxes))
    phone = PhoneStreams(ftm_ns, ftm, imu_ns, imu[:, :6], imu_ns, imu[:, 6:])
    return Session(area, name, split='train', frames=frames, phones={SUBJECT: phone}, truth={})


def main() -> None:
    parser = argparse.ArgumentParser(description='Convert CSV files to a bag.')
    parser.add_argument('--out', type=Path, required=True, metavar='AREA/NAME')
    args = parser.parse_args()

    area = AreaSettings(args.out.parent.name)  # the geometry of the camera and access point
    with tempfile.TemporaryDirectory() as folder:
        write_csv(Path(folder))
        session = make_session(Path(folder), area.area, args.out.name)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_area(area, args.out.parent)
    write_session(session, area, args.out)

    batches = list(synchronize(read_session(args.out)))
    windows = list(cut_windows(batches, WindowSettings()))
    shares = ', '.join(f'{name} {np.mean([cut.masks[name].mean() for cut in windows]):.0%}'
                       for name in area.modalities)
    print(f'{args.out}: {len(batches)} ticks, {len(windows)} windows; measured: {shares}')


if __name__ == '__main__':
    main()

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

"""From a recording to a plot: synchronize, run the twin engine, compare with the ground truth.

    utt simulate --out sessions --areas 1 --minutes 3
    utt train --data sessions --out model.safetensors
    python examples/recording_to_plot.py sessions/area0/session02 --model model.safetensors

Without --model the twin is its particle filter alone.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl
import numpy as np

from utt_ros import (
    OnnxModel,
    TwinEngine,
    WindowSettings,
    cut_windows,
    export_onnx,
    load_model,
    read_area,
    read_session,
    synchronize,
)

mpl.use('Agg')
from matplotlib import pyplot as plt


def main() -> None:
    parser = argparse.ArgumentParser(description='Plot estimated and true paths of a recording.')
    parser.add_argument('bag', type=Path, help='a session in the folder of its area')
    parser.add_argument('--model', type=Path, help='a model of `utt train`')
    parser.add_argument('--out', type=Path, default=Path('positions.png'))
    args = parser.parse_args()

    # 1. Read: the area's geometry, and the streams of one session at their native rates.
    area = read_area(args.bag.parent)
    session = read_session(args.bag)
    print(f'{session.name}: {len(session.phones)} phones, {len(session.truth)} true trajectories')

    # 2. Synchronize: a batch of samples per tick of 0.1 s, as live.
    batches = list(synchronize(session, modalities=area.modalities))
    windows = sum(len(cut) for cut in cut_windows(batches, WindowSettings(), stride=10))
    print(f'{len(batches)} ticks, {windows} windows of 3 s: one per second and subject')

    # 3. Run the twin: positions (2,) [m] and covariances (2, 2) [m^2] of each subject and tick.
    engine = TwinEngine(area, WindowSettings())
    if args.model:
        model, card = load_model(args.model)
        engine.deploy(OnnxModel(export_onnx(model), WindowSettings()))
        print(f'model of {card.code_version}, trained on {", ".join(card.modalities)}')
    paths: dict[str, list[tuple[int, np.ndarray]]] = defaultdict(list)
    for batch in batches:
        predictions = engine.step(batch)
        for subject, position in zip(predictions.subjects, predictions.position, strict=True):
            paths[subject].append((predictions.stamp_ns, position))

    # 4. Compare and plot, in the area frame: x forward from below the camera, y left.
    figure, axes = plt.subplots(figsize=(6, 5), layout='constrained')
    for subject, estimates in sorted(paths.items()):
        stamps_ns, positions_m = (np.array(column) for column in zip(*estimates, strict=True))
        line, = axes.plot(*positions_m.T, linewidth=1, label=subject)
        if subject in session.truth:
            truth = session.truth[subject]
            true_m = np.stack([np.interp(stamps_ns, truth.stamps_ns, axis)
                               for axis in truth.positions_m.T], axis=1)
            axes.plot(*true_m.T, linewidth=3, alpha=0.3, color=line.get_color())
            error_m = np.linalg.norm(positions_m - true_m, axis=1)
            print(f'{subject}: median error {np.median(error_m):.2f} m')
    axes.set(xlabel='x [m]', ylabel='y [m]', aspect='equal',
             title='Estimated (thin) and true (wide) paths')
    axes.legend()
    figure.savefig(args.out, dpi=120)
    print(args.out)


if __name__ == '__main__':
    main()

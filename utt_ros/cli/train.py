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

"""`utt train`: train a model on recordings."""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.models.fusors import FUSORS
from utt_ros.models.model_card import save_model
from utt_ros.models.operations import operations
from utt_ros.models.settings import ACCESS_POINTS_READ, ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.data_statistics import data_statistics
from utt_ros.training.model_selection import TrainingProgress
from utt_ros.training.offline_trainer import train_model, training_summary
from utt_ros.training.recordings import Recordings, load_recordings
from utt_ros.training.residuals import deviation_metrics, residual_deviations
from utt_ros.training.trainer import use_one_thread
from utt_ros.training.training_recipe import PLANS, Recipe, centralised, deployable

EXAMPLES = """
examples:
  utt train --data sessions --out model.safetensors
  utt train --data sessions --out central.safetensors --plan centralised --seed 1
  utt train --data realwalk --data realwalk_more --out both.safetensors

DATA is a folder of bags (imported, recorded or simulated) or recordings in the Vi-Fi layout. Only
sequences of the train split are used for training, and those of the val split for model selection.
The model card is stored in the file and, readable, in MODEL.json beside it.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `utt train`."""
    recipe = deployable(Recipe())
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('--data', type=Path, action='append', required=True, metavar='DIR',
                        help='recordings: bags by area, or the Vi-Fi layout; may be repeated')
    parser.add_argument('--out', type=Path, required=True, metavar='MODEL',
                        help='file to write, such as model.safetensors')
    parser.add_argument('--plan', choices=PLANS, default=recipe.plan,
                        help='federated areas, or all data centralised (default: federated)')
    parser.add_argument('--fusor', choices=sorted(FUSORS.names()), default=recipe.model.fusor,
                        help=f'(default: {recipe.model.fusor})')
    parser.add_argument('--access-points', choices=ACCESS_POINTS_READ,
                        default=recipe.model.access_points_read,
                        help='access points whose ranges the model reads '
                        f'(default: {recipe.model.access_points_read})')
    parser.add_argument('--width', type=int, default=recipe.model.width, metavar='N',
                        help=f'length of a feature vector (default: {recipe.model.width})')
    parser.add_argument('--rounds', type=int, default=recipe.rounds, metavar='N',
                        help=f'maximum number of rounds (default: {recipe.rounds})')
    parser.add_argument('--steps', type=int, default=None, metavar='N',
                        help=f'local training steps per round (default: {recipe.local_steps}, '
                        'three times as many if centralised)')
    parser.add_argument('--corruption', type=float, default=recipe.corruption, metavar='P',
                        help='probability that a source of a training window is wrong '
                        f'(default: {recipe.corruption:g})')
    parser.add_argument('--cache', type=Path, metavar='DIR',
                        help='folder that caches the loaded recordings')
    parser.add_argument('--seed', type=int, default=0, metavar='S', help='(default: 0)')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and save a model. Raises UttError."""
    recipe = replace(
        deployable(Recipe()), rounds=args.rounds, corruption=args.corruption,
        model=ModelSettings(fusor=args.fusor, width=args.width,
                            access_points_read=args.access_points))
    recipe = recipe if args.plan == 'federated' else centralised(recipe)
    if args.steps is not None:
        recipe = replace(recipe, local_steps=args.steps)
    if not args.out.parent.is_dir() or args.out.suffix == '.json':
        raise SettingsError(
            f'--out is {args.out}: it must be a file in an existing folder, not .json')
    use_one_thread()
    with tempfile.TemporaryDirectory() as temporary:
        data = load_recordings(args.data, args.cache or Path(temporary))
    for note in data.notes:
        print(f'train: {note}', file=sys.stderr)
    trained = train_model(data, recipe, args.seed, _print_progress)
    card = save_model(args.out, trained.twin, data.fingerprint,
                      training_summary(trained, recipe, args.seed),
                      {'score': trained.score, **_deviations(trained.twin, data)},
                      statistics=data_statistics(data))
    print(f'{args.out}: score {card.metrics["score"]:.4f} after round {trained.best_round}')
    return 0


def _deviations(twin: UnifiedTwin, data: Recordings) -> dict[str, float]:
    """Return the deviations of all decodings on val, with which twins merge them."""
    pairs = dict.fromkeys(
        pair for item in operations(twin.settings.modalities, subsets=True) for pair in item.pairs)
    return deviation_metrics(residual_deviations(twin, data, list(pairs)))


def _print_progress(progress: TrainingProgress) -> None:
    print(f'train: round {progress.round.number + 1} of at most {progress.rounds}: '
          f'score {progress.score:.4f}', file=sys.stderr, flush=True)

"""`utt train`: a model from recordings."""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.models.fusors import FUSORS
from utt_ros.models.model_card import save_model
from utt_ros.models.settings import ModelSettings
from utt_ros.training.model_selection import TrainingProgress
from utt_ros.training.offline_trainer import train_model, training_summary
from utt_ros.training.recordings import load_recordings
from utt_ros.training.trainer import use_one_thread
from utt_ros.training.training_recipe import PLANS, Recipe, centralised, deployable

EXAMPLES = """
examples:
  utt train --data sessions --out model.safetensors
  utt train --data sessions --out central.safetensors --plan centralised --seed 1

DATA is a folder of bags (imported, recorded or simulated) or recordings in the Vi-Fi layout. Only
sequences of the train and val splits are learned from and selected on. The model's card is in
the file and, for reading, in MODEL.json beside it.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt train`."""
    recipe = deployable(Recipe())
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                        help='recordings: bags by area, or the Vi-Fi layout')
    parser.add_argument('--out', type=Path, required=True, metavar='MODEL',
                        help='file to write, such as model.safetensors')
    parser.add_argument('--plan', choices=PLANS, default=recipe.plan,
                        help='areas together, or all data in one place (default: federated)')
    parser.add_argument('--fusor', choices=sorted(FUSORS), default=recipe.model.fusor,
                        help=f'(default: {recipe.model.fusor})')
    parser.add_argument('--rounds', type=int, default=recipe.rounds, metavar='N',
                        help=f'rounds at most (default: {recipe.rounds})')
    parser.add_argument('--steps', type=int, default=None, metavar='N',
                        help=f'steps of an area in a round (default: {recipe.local_steps}, '
                        'three times as many in one place)')
    parser.add_argument('--cache', type=Path, metavar='DIR',
                        help='keep what is read there for the next time')
    parser.add_argument('--seed', type=int, default=0, metavar='S', help='(default: 0)')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train. Raises UttError."""
    recipe = replace(
        deployable(Recipe()), rounds=options.rounds, model=ModelSettings(fusor=options.fusor))
    recipe = recipe if options.plan == 'federated' else centralised(recipe)
    if options.steps is not None:
        recipe = replace(recipe, local_steps=options.steps)
    if not options.out.parent.is_dir() or options.out.suffix == '.json':
        raise SettingsError(f'--out is {options.out}: a file in a folder that exists, not .json')
    use_one_thread()
    with tempfile.TemporaryDirectory() as aside:
        data = load_recordings(options.data, options.cache or Path(aside))
    for note in data.notes:
        print(f'train: {note}', file=sys.stderr)
    trained = train_model(data, recipe, options.seed, _print_progress)
    card = save_model(options.out, trained.twin, data.fingerprint,
                      training_summary(trained, recipe, options.seed),
                      {'score': trained.score})
    print(f'{options.out}: score {card.metrics["score"]:.4f} after round {trained.best_round}')
    return 0


def _print_progress(progress: TrainingProgress) -> None:
    print(f'train: round {progress.round.number + 1} of {progress.rounds} at most: '
          f'score {progress.score:.4f}', file=sys.stderr, flush=True)

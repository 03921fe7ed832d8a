"""Likelihoods of all live methods in one file of JSON."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from utt_ros.association.pair_features import NAMES
from utt_ros.association.pair_scorer import Scorer
from utt_ros.association.vifi import BipartiteSettings
from utt_ros.errors import SettingsError

SHIPPED = Path(__file__).with_name('scorers.json')  # how it was made: docs/association.md
MAX_FILE_BYTES = 2**20
VIFI_TICKS = 4  # walks are compared at every fourth tick, or 20 phones would take too long
VIFI_WEIGHTS = (0.3, 3.0, 0.8)  # the best of seven on simulated walks; docs/association.md
VIFI = BipartiteSettings(VIFI_WEIGHTS, slant=True, every=VIFI_TICKS)
TWIN = (
    'translated_range_mean_m', 'translated_range_rms_m', 'velocity_rms_mps', 'velocity_surprise',
    'speed_difference_mps', 'path_rms_m', 'straight_m', 'translated_column', 'translated_depth',
    'translated_height', 'ranges', 'seconds')
COLUMNS: Mapping[str, tuple[str, ...]] = {
    'vifi': ('vifi_cost', 'ranges', 'seconds'), 'twin': TWIN, 'fused': NAMES}


def write_scorers(scorers: Mapping[str, Scorer]) -> str:
    """JSON of the scorers by method."""
    return json.dumps({
        method: {'columns': COLUMNS[method], **{
            item.name: np.round(getattr(scorer, item.name), 6).tolist()
            for item in fields(Scorer)}}
        for method, scorer in scorers.items()}) + '\n'


def read_scorer(method: str, path: Path = SHIPPED) -> Scorer:
    """The scorer of a method. Raises SettingsError for a file that does not fit."""
    columns = COLUMNS[method]
    try:
        with path.open('rb') as file:
            content = json.loads(file.read(MAX_FILE_BYTES))[method]
        values = {item.name: np.array(content[item.name], np.float32) for item in fields(Scorer)}
        same = tuple(content['columns']) == columns
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise SettingsError(f'{path}: no scorer for {method!r}: {err!r}') from err
    level = values.pop('level')
    hidden = len(values['hidden_bias']) if values['hidden_bias'].ndim else 0
    shapes = {'mean': (len(columns),), 'std': (len(columns),), 'hidden_bias': (hidden,),
              'hidden': (hidden, len(columns)), 'out': (hidden,)}
    fits = same and level.shape == () and all(
        array.shape == shapes[name] and np.isfinite(array).all() for name, array in values.items())
    if not fits or not hidden or not (values['std'] > 0.0).all() or not np.isfinite(level):
        raise SettingsError(f'{path}: the scorer for {method!r} must be of {list(columns)}, '
                            'finite, with positive deviations')
    return Scorer(**values, level=float(level))

"""Whose phone is whose: every method on the same encounters, labels removed.

`idp` is the share of tracks that got the right phone, by the Hungarian method, where two phones or
more are there. Choices are made on the val split by the mean over fixed windows and the crowd.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from utt_ros.association.assignment import Costs
from utt_ros.association.pair_features import NAMES, gather
from utt_ros.association.pair_scorer import Scorer
from utt_ros.association.vifi import BipartiteSettings
from utt_ros.evaluation.association.encounters import Encounter
from utt_ros.evaluation.association.scorer_training import train_scorer
from utt_ros.evaluation.baselines.baseline_training import (
    Cost,
    bipartite_cost,
    deep,
    tune_bipartite,
    tune_vitag,
    vitag,
    vitag_cost,
)
from utt_ros.evaluation.metrics.association import (
    Encounters,
    Remembered,
    Score,
    heading_biases,
    judge,
    mean_idp,
)
from utt_ros.evaluation.results import Outcome, Row, Unit
from utt_ros.evaluation.suites.reconstruction_rows import reconstruct
from utt_ros.evaluation.trained_models import Study
from utt_ros.evaluation.twin_translator import TwinTranslator
from utt_ros.training.trainer import use_one_thread
from utt_ros.types import MODALITIES, FloatArray

SUITE = 'association'
AS_RELEASED = {'ftm': 1.0, 'imu': 1.0}  # distances that the released code compares
LEARNED_TICKS = 20  # between encounters that evidence is learned from
TRANSLATED = ('translated_range_rms_m', 'translated_column', 'translated_depth',
              'translated_height')
TRANSLATED_WEIGHTS = (0.5, 1.0, 1.0, 1.0)  # one unit each, and 2 m of range
PHYSICAL = (
    'range_mean_m', 'range_rms_m', 'range_std_m', 'heading_along', 'heading_across', 'straight_m',
    'ranges', 'seconds')  # what needs no model


def units(study: Study) -> list[Unit]:
    """By method and seed; Vi-Fi's bipartite association draws nothing."""
    if set(MODALITIES) - set(study.data.modalities):
        return []
    seeded = {'vifi-deep': _deep, 'vitag': _vitag, 'federated': _federated, 'utt': _utt,
              'vifit': _vifit}
    return [Unit(f'{SUITE}-vifi-bipartite', partial(_bipartite, study)), *(
        Unit(f'{SUITE}-{name}-seed{seed}', partial(run, study, seed))
        for seed in study.seeds for name, run in seeded.items())]


def _bipartite(study: Study) -> Outcome:
    train, val = Encounters(study.data, 'train'), Encounters(study.data, 'val')
    biases = heading_biases(train.all)
    tuned = tune_bipartite(val, biases, slant=False)
    slant = tune_bipartite(val, biases, [tuned.step_m], slant=True)
    return _publish(study, study.seeds[0], {
        'vifi_bipartite_published': bipartite_cost(BipartiteSettings()),
        'vifi_bipartite': bipartite_cost(tuned), 'vifi_bipartite_slant': bipartite_cost(slant)})


def _deep(study: Study, seed: int) -> Outcome:
    use_one_thread()
    train, val = Encounters(study.data, 'train'), Encounters(study.data, 'val')
    return _publish(study, seed, {'vifi_deep': deep(train, val, seed, federated=False)})


def _vitag(study: Study, seed: int) -> Outcome:
    use_one_thread()
    released = vitag(study.data, 'as_released', seed, federated=False)
    repaired = vitag(study.data, 'repaired', seed, federated=False)
    weights = tune_vitag(repaired, Encounters(study.data, 'val'))
    return _publish(study, seed, {
        'vitag_as_released': vitag_cost(released, AS_RELEASED),
        'vitag_repaired': vitag_cost(repaired, weights)})


def _federated(study: Study, seed: int) -> Outcome:
    """Vi-Fi deep and ViTag inside the distributed mapping, as the paper ran them."""
    use_one_thread()
    train, val = Encounters(study.data, 'train'), Encounters(study.data, 'val')
    repaired = vitag(study.data, 'repaired', seed, federated=True)
    return _publish(study, seed, {
        'vifi_deep_federated': deep(train, val, seed, federated=True),
        'vitag_repaired_federated': vitag_cost(repaired, tune_vitag(repaired, val))})


def _utt(study: Study, seed: int) -> Outcome:
    """Our model's translation errors alone, all evidence fused, and what needs no model fused."""
    use_one_thread()
    twin = study.deployed(seed)
    if set(MODALITIES) - set(twin.settings.modalities):
        return Outcome(())
    train, val = Encounters(study.data, 'train'), Encounters(study.data, 'val')
    biases, translator = heading_biases(train.all), TwinTranslator(twin)

    def evidence(one: Encounter) -> FloatArray:
        bias = biases.get(one.area.area, 0.0)
        return gather(one.seen, one.area, translator, bias)
    remembered = Remembered(evidence)
    costs: dict[str, Cost] = {'utt_translation': lambda one: _translation(remembered(one))}
    sparse = Encounters(study.data, 'train', every=LEARNED_TICKS)
    learned = [(evidence(one), one.owners) for one in sparse.examples()]
    chosen = [(evidence(one), one.owners) for one in val.examples()]
    for method, names in (('utt', NAMES), ('utt_without_model', PHYSICAL)):
        columns = [NAMES.index(name) for name in names]
        train_pairs, val_pairs = (
            [(values[..., columns], owners) for values, owners in pairs]
            for pairs in (learned, chosen))
        costs[method] = _scored(
            remembered, train_scorer(train_pairs, val_pairs, seed), columns)
    return _publish(study, seed, costs, twin.settings.fusor)


def _scored(evidence: Remembered, scorer: Scorer, columns: Sequence[int]) -> Cost:
    return lambda one: -scorer(evidence(one)[..., columns])


def _translation(evidence: FloatArray) -> Costs:
    parts = evidence[..., [NAMES.index(name) for name in TRANSLATED]]
    return np.asarray(np.nan_to_num(parts, nan=1.0) @ np.array(TRANSLATED_WEIGHTS), np.float64)


def _vifit(study: Study, seed: int) -> Outcome:
    use_one_thread()
    return Outcome(tuple(
        Row(SUITE, method, 'reconstruct', 'ftm+imu', 'camera', '', seed, metric, value, windows)
        for method, metric, value, windows in reconstruct(study, seed)))


def _publish(
    study: Study, seed: int, costs: Mapping[str, Cost], fusor: str = '',
) -> Outcome:
    judged = Encounters(study.data, study.split)
    return Outcome(tuple(
        row for method, cost in costs.items()
        for row in rows(method, seed, judge(judged.settings, cost), fusor)))


def rows(method: str, seed: int, scores: Mapping[str, Score], fusor: str = '') -> list[Row]:
    """The IDP in every setting, and the mean over the fixed windows."""
    fixed = {name: score for name, score in scores.items() if name.startswith('fixed')}
    count = sum(score.tracks for score in fixed.values())
    found = [*((name, score.idp, score.tracks) for name, score in scores.items()),
             ('fixed mean', mean_idp(fixed), count)]
    return [Row(SUITE, method, name, 'ftm+imu', 'camera', fusor, seed, 'idp', value, tracks)
            for name, value, tracks in found]

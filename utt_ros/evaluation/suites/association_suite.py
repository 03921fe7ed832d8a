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

"""Association suite: all methods on the same encounters, labels removed.

`idp` is the share of tracks with the correct phone after minimum-cost assignment, in encounters of
two phones or more. Methods are tuned on the val split, by the mean over fixed windows and crowd.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from utt_ros.association.assignment import Costs
from utt_ros.association.pair_features import FEATURE_NAMES, compute_pair_features
from utt_ros.association.pair_scorer import PairScorer
from utt_ros.association.vifi_bipartite import BipartiteSettings
from utt_ros.evaluation.association.encounters import Encounter
from utt_ros.evaluation.association.scorer_training import train_scorer
from utt_ros.evaluation.baselines.baseline_training import (
    CostFunction,
    bipartite_cost,
    train_vifi_deep,
    train_vitag,
    tune_bipartite,
    tune_vitag,
    vitag_cost,
)
from utt_ros.evaluation.metrics.association import (
    EncounterSplit,
    IdpScore,
    heading_biases,
    mean_idp,
    memoize,
    score_assignments,
)
from utt_ros.evaluation.results import Row, Unit, UnitResult
from utt_ros.evaluation.suites.reconstruction_rows import reconstruction_rows
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.onnx_export import export_onnx
from utt_ros.training.trainer import use_one_thread
from utt_ros.twin.onnx_translator import OnnxTranslator
from utt_ros.types import MODALITIES, FloatArray

ASSOCIATION_SUITE = 'association'
AS_RELEASED = {'ftm': 1.0, 'imu': 1.0}  # weights of distances in the released code
SCORER_STRIDE = 20  # ticks between training encounters of the scorer
TRANSLATION_FEATURES = ('translated_range_rms_m', 'translated_column', 'translated_depth',
                        'translated_height')
TRANSLATION_WEIGHTS = (0.5, 1.0, 1.0, 1.0)  # 2 m of range count as one scaled unit of a box
MODEL_FREE_FEATURES = (
    'range_mean_m', 'range_rms_m', 'range_std_m', 'heading_along', 'heading_across', 'straight_m',
    'ranges', 'seconds')


def association_units(study: Study) -> list[Unit]:
    """Return units by method and seed; Vi-Fi's bipartite association is not random."""
    if set(MODALITIES) - set(study.data.modalities):
        return []
    seeded = {'vifi-deep': _deep, 'vitag': _vitag, 'federated': _federated, 'utt': _utt,
              'vifit': _vifit}
    return [Unit(f'{ASSOCIATION_SUITE}-vifi-bipartite', partial(_bipartite, study)), *(
        Unit(f'{ASSOCIATION_SUITE}-{name}-seed{seed}', partial(run, study, seed))
        for seed in study.seeds for name, run in seeded.items())]


def _bipartite(study: Study) -> UnitResult:
    train, val = EncounterSplit(study.data, 'train'), EncounterSplit(study.data, 'val')
    biases = heading_biases(train.all)
    tuned = tune_bipartite(val, biases, slant=False)
    slant = tune_bipartite(val, biases, [tuned.step_m], slant=True)
    return _publish(study, study.seeds[0], {
        'vifi_bipartite_published': bipartite_cost(BipartiteSettings()),
        'vifi_bipartite': bipartite_cost(tuned), 'vifi_bipartite_slant': bipartite_cost(slant)})


def _deep(study: Study, seed: int) -> UnitResult:
    use_one_thread()
    train, val = EncounterSplit(study.data, 'train'), EncounterSplit(study.data, 'val')
    return _publish(study, seed, {'vifi_deep': train_vifi_deep(train, val, seed, federated=False)})


def _vitag(study: Study, seed: int) -> UnitResult:
    use_one_thread()
    released = train_vitag(study.data, 'as_released', seed, federated=False)
    repaired = train_vitag(study.data, 'repaired', seed, federated=False)
    weights = tune_vitag(repaired, EncounterSplit(study.data, 'val'))
    return _publish(study, seed, {
        'vitag_as_released': vitag_cost(released, AS_RELEASED),
        'vitag_repaired': vitag_cost(repaired, weights)})


def _federated(study: Study, seed: int) -> UnitResult:
    """Train Vi-Fi deep and ViTag as federations of areas, as in the paper [P]."""
    use_one_thread()
    train, val = EncounterSplit(study.data, 'train'), EncounterSplit(study.data, 'val')
    repaired = train_vitag(study.data, 'repaired', seed, federated=True)
    return _publish(study, seed, {
        'vifi_deep_federated': train_vifi_deep(train, val, seed, federated=True),
        'vitag_repaired_federated': vitag_cost(repaired, tune_vitag(repaired, val))})


def _utt(study: Study, seed: int) -> UnitResult:
    """Score translation errors alone, all pair features, and those that need no model."""
    use_one_thread()
    twin = study.deployed(seed)
    if set(MODALITIES) - set(twin.settings.modalities):
        return UnitResult(())
    train, val = EncounterSplit(study.data, 'train'), EncounterSplit(study.data, 'val')
    biases = heading_biases(train.all)
    translator = OnnxTranslator(export_onnx(twin), twin.window)

    def features(encounter: Encounter) -> FloatArray:
        bias = biases.get(encounter.area.area, 0.0)
        return compute_pair_features(encounter.candidates, encounter.area, translator, bias)
    memoized = memoize(features)
    costs: dict[str, CostFunction] = {
        'utt_translation': lambda encounter: _translation_cost(memoized(encounter))}
    sparse = EncounterSplit(study.data, 'train', stride=SCORER_STRIDE)
    fitted, validated = (
        [(features(encounter), encounter.owners) for encounter in split.examples()]
        for split in (sparse, val))
    for method, names in (('utt', FEATURE_NAMES), ('utt_without_model', MODEL_FREE_FEATURES)):
        columns = [FEATURE_NAMES.index(name) for name in names]
        train_pairs, val_pairs = (
            [(values[..., columns], owners) for values, owners in pairs]
            for pairs in (fitted, validated))
        costs[method] = _scorer_cost(
            memoized, train_scorer(train_pairs, val_pairs, seed), columns)
    return _publish(study, seed, costs, twin.settings.fusor)


def _scorer_cost(
    features: Callable[[Encounter], FloatArray], scorer: PairScorer, columns: Sequence[int],
) -> CostFunction:
    return lambda encounter: -scorer(features(encounter)[..., columns])


def _translation_cost(features: FloatArray) -> Costs:
    parts = features[..., [FEATURE_NAMES.index(name) for name in TRANSLATION_FEATURES]]
    return np.asarray(np.nan_to_num(parts, nan=1.0) @ np.array(TRANSLATION_WEIGHTS), np.float64)


def _vifit(study: Study, seed: int) -> UnitResult:
    use_one_thread()
    return UnitResult(tuple(
        Row(ASSOCIATION_SUITE, method, 'reconstruct', 'ftm+imu', 'camera', '', seed, metric, value,
            windows)
        for method, metric, value, windows in reconstruction_rows(study, seed)))


def _publish(
    study: Study, seed: int, costs: Mapping[str, CostFunction], fusor: str = '',
) -> UnitResult:
    split = EncounterSplit(study.data, study.split)
    return UnitResult(tuple(
        row for method, cost in costs.items()
        for row in idp_rows(method, seed, score_assignments(split.published, cost), fusor)))


def idp_rows(method: str, seed: int, scores: Mapping[str, IdpScore], fusor: str = '') -> list[Row]:
    """Return rows of the IDP of every set, and of the mean over fixed windows."""
    fixed = {name: score for name, score in scores.items() if name.startswith('fixed')}
    count = sum(score.tracks for score in fixed.values())
    values = [*((name, score.idp, score.tracks) for name, score in scores.items()),
              ('fixed mean', mean_idp(fixed), count)]
    return [Row(ASSOCIATION_SUITE, method, name, 'ftm+imu', 'camera', fusor, seed, 'idp', value,
                tracks)
            for name, value, tracks in values]

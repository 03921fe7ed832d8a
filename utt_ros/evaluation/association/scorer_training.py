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

"""Training of pair scorers: examples of live association from recordings, and the fit."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.association.assignment import UNASSIGNED
from utt_ros.association.dead_reckoning import window_headings
from utt_ros.association.model_evidence import no_model_evidence, query_model
from utt_ros.association.pair_features import FEATURE_NAMES, pair_features
from utt_ros.association.pair_scorer import SCORER_FEATURES, PairScorer, write_scorers
from utt_ros.association.translator import Translator
from utt_ros.association.vifi_bipartite import LIVE_SETTINGS, VifiBipartite
from utt_ros.errors import SessionError
from utt_ros.evaluation.association.encounters import Encounter, crowd_encounters, cut_encounters
from utt_ros.evaluation.metrics.association import CROWD_PHONES
from utt_ros.files import write_atomically
from utt_ros.models.model_card import load_model
from utt_ros.models.onnx_export import export_onnx
from utt_ros.training.recordings import Recordings
from utt_ros.training.trainer import use_one_thread
from utt_ros.twin.onnx_translator import OnnxTranslator
from utt_ros.types import FloatArray, Indices

SCORER_HIDDEN = 32
SCORER_STEPS = 4000
SCORER_BATCH = 256
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.3
VALIDATION_STEPS = 50  # between evaluations of the validation loss
MIN_FEATURE_STD = 1e-6  # for constant features

TRAINING_STRIDE = 7  # ticks between encounters
OFFSET_STD_RAD = 0.25  # of a heading offset that is not learned yet [R]
YOUNG_TICKS = (4, 40)  # range of track ages sampled for half of the encounters
STRANGER_SHARE = 0.4  # of encounters in which a person has no phone
NO_MODEL_SHARE = 0.3  # of encounters before a model is deployed
SENSOR_LOSS_SHARE = 0.1  # of encounters in which a phone has no FTM; likewise no IMU
VALIDATION_EVERY = 4  # each fourth sequence is held out for early stopping

Pairs = Sequence[tuple[FloatArray, Indices]]  # features (K, P, F), owners (K,)
PairExample = tuple[dict[str, FloatArray], Indices]  # features by method, owners


def fit_scorers(
    data: Recordings, translator: Translator, seed: int,
) -> dict[str, PairScorer]:
    """Fit a scorer per method on the val split, which the model must not have been trained on.

    Raises SessionError with fewer than two sequences in which two phones are in view.
    """
    rng = np.random.default_rng(seed)
    fitted, validated = _split_encounters(data)
    if not fitted or not validated:
        raise SessionError('the val split has fewer than two sequences with two phones in view')
    train, val = ([_example(encounter, translator, rng) for encounter in _with_crowds(part, rng)]
                  for part in (fitted, validated))
    return {method: train_scorer(_pairs(train, method), _pairs(val, method), seed)
            for method in SCORER_FEATURES}


def fit_scorers_file(data: Recordings, model: Path, out: Path, seed: int) -> None:
    """Fit scorers with a model file, and write them to `out`. Raises UttError."""
    use_one_thread()
    translator = OnnxTranslator(export_onnx(load_model(model)[0]), data.window)
    write_atomically(out, write_scorers(fit_scorers(data, translator, seed)).encode())


def train_scorer(train: Pairs, val: Pairs, seed: int) -> PairScorer:
    """Train a scorer; keep the step with the lowest cross entropy on `val`.

    The classes of a track are the phones, and UNASSIGNED with score 0 if it occurs in `train`.
    """
    no_phone = any((owners == UNASSIGNED).any() for _, owners in train)
    flat = np.concatenate([features.reshape(-1, features.shape[2]) for features, _ in train])
    known = np.isfinite(flat)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, flat, 0.0).sum(0) / count
    std = np.sqrt((np.where(known, flat - mean, 0.0) ** 2).sum(0) / count)
    untrained = PairScorer(
        mean.astype(np.float32), np.maximum(std, MIN_FEATURE_STD).astype(np.float32),
        np.zeros((SCORER_HIDDEN, len(mean)), np.float32), np.zeros(SCORER_HIDDEN, np.float32),
        np.zeros(SCORER_HIDDEN, np.float32))
    fitted, validated = _tensors(train, untrained), _tensors(val, untrained)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Linear(len(mean), SCORER_HIDDEN), nn.Tanh(), nn.Linear(SCORER_HIDDEN, 1))
        best, min_loss = untrained, np.inf
        optimizer = torch.optim.AdamW(
            net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        for step in range(SCORER_STEPS):
            rows = torch.randint(len(fitted[0]), (SCORER_BATCH,))
            optimizer.zero_grad()
            torch.autograd.backward(
                _loss(net, *(part[rows] for part in fitted), no_phone=no_phone))
            optimizer.step()
            if step % VALIDATION_STEPS == VALIDATION_STEPS - 1:
                with torch.no_grad():
                    loss = _loss(net, *validated, no_phone=no_phone).item()
                if loss < min_loss:
                    best, min_loss = _scorer(net, untrained), loss
    return best


def _tensors(pairs: Pairs, scorer: PairScorer) -> tuple[Tensor, Tensor, Tensor]:
    """Pad to scaled features (N, P, F) of all tracks, present phones (N, P), owners (N,)."""
    max_phones = max(features.shape[1] for features, _ in pairs)
    count = sum(len(owners) for _, owners in pairs)
    values = np.zeros((count, max_phones, len(scorer.mean)), np.float32)
    present = np.zeros((count, max_phones), bool)
    row = 0
    for features, owners in pairs:
        rows = slice(row, row + len(owners))
        values[rows, :features.shape[1]] = scorer.scale(features)
        present[rows, :features.shape[1]] = True
        row = rows.stop
    owner = np.concatenate([owners for _, owners in pairs])
    return torch.from_numpy(values), torch.from_numpy(present), torch.from_numpy(owner)


def _loss(
    net: nn.Module, values: Tensor, present: Tensor, owner: Tensor, *, no_phone: bool,
) -> Tensor:
    scores = net(values).squeeze(2).masked_fill(~present, -1e9)
    if no_phone:
        scores = torch.cat([scores, scores.new_zeros(len(scores), 1)], dim=1)
        owner = torch.where(owner == UNASSIGNED, present.shape[1], owner)
    return F.cross_entropy(scores, owner)


def _scorer(net: nn.Sequential, untrained: PairScorer) -> PairScorer:
    weights = {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}
    return PairScorer(untrained.mean, untrained.std, weights['0.weight'], weights['0.bias'],
                      weights['2.weight'][0], float(weights['2.bias'][0]))


def _pairs(examples: Sequence[PairExample], method: str) -> Pairs:
    return [(features[method], owners) for features, owners in examples]


def _split_encounters(data: Recordings) -> tuple[list[Encounter], list[Encounter]]:
    """Split encounters by sequence, to fit and to validate."""
    fitted: list[Encounter] = []
    validated: list[Encounter] = []
    sequences = (list(cut_encounters(sequence, data.window, stride=TRAINING_STRIDE))
                 for sequence in data.of('val'))
    for number, encounters in enumerate(encounters for encounters in sequences if encounters):
        (fitted if number % VALIDATION_EVERY else validated).extend(encounters)
    return fitted, validated


def _with_crowds(
    encounters: Sequence[Encounter], rng: np.random.Generator,
) -> Iterator[Encounter]:
    yield from encounters
    yield from crowd_encounters(encounters, CROWD_PHONES, rng)


def _example(
    encounter: Encounter, translator: Translator, rng: np.random.Generator,
) -> PairExample:
    """Compute features by method, of an encounter augmented as live ones are."""
    encounter = drop_sensors(drop_phone(shorten_tracks(encounter, rng), rng), rng)
    candidates, area = encounter.candidates, encounter.area
    offsets = rng.normal(0.0, OFFSET_STD_RAD, len(candidates.phones))
    angles, valid = window_headings(candidates, area.magnetic_yaw)
    compass = (angles - offsets[:, None]).astype(np.float32), valid
    evidence = query_model(candidates, valid, translator, area.magnetic_yaw)
    features = pair_features(candidates, area, compass, evidence)
    fused = (pair_features(candidates, area, compass, no_model_evidence(candidates))
             if rng.random() < NO_MODEL_SHARE else features)
    columns = [FEATURE_NAMES.index(name) for name in SCORER_FEATURES['twin']]
    vifi = VifiBipartite(area, LIVE_SETTINGS).features(candidates, offsets)
    return {'vifi': vifi, 'fused': fused, 'twin': features[..., columns]}, encounter.owners


def shorten_tracks(encounter: Encounter, rng: np.random.Generator) -> Encounter:
    """Mask all but the last ticks of all tracks, in half of the encounters."""
    if rng.random() < 0.5:
        return encounter
    candidates = encounter.candidates
    mask = candidates.boxes_mask.copy()
    mask[:, :-int(rng.integers(*YOUNG_TICKS))] = False
    rows = np.flatnonzero(mask.any(1))
    boxes = candidates.boxes * mask[..., None]
    return replace(
        encounter, owners=encounter.owners[rows],
        candidates=replace(candidates, boxes=boxes, boxes_mask=mask).select_tracks(rows))


def drop_phone(encounter: Encounter, rng: np.random.Generator) -> Encounter:
    """Remove the phone of one track, in STRANGER_SHARE of the encounters."""
    count = len(encounter.candidates.phones)
    if not len(encounter.owners) or count < 2 or rng.random() >= STRANGER_SHARE:
        return encounter
    dropped = int(rng.choice(encounter.owners))
    kept = [row for row in range(count) if row != dropped]
    new_rows = np.full(count, UNASSIGNED, np.intp)
    new_rows[kept] = np.arange(len(kept))
    return replace(encounter, candidates=encounter.candidates.select_phones(kept),
                   owners=new_rows[encounter.owners])


def drop_sensors(encounter: Encounter, rng: np.random.Generator) -> Encounter:
    """Mask FTM of one phone and IMU of one phone, each in SENSOR_LOSS_SHARE of the encounters."""
    candidates = encounter.candidates
    for name in ('ftm', 'imu'):
        if rng.random() < SENSOR_LOSS_SHARE:
            mask = getattr(candidates, f'{name}_mask').copy()
            mask[rng.integers(len(mask))] = False
            values = getattr(candidates, name) * mask[..., None]
            candidates = replace(candidates, **{name: values, f'{name}_mask': mask})
    return replace(encounter, candidates=candidates)

"""Fits the likelihoods of live association, on recordings whose labels are known."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from utt_ros.association.assignment import NOBODY
from utt_ros.association.associator import vifi_evidence
from utt_ros.association.candidates import Candidates
from utt_ros.association.dead_reckoning import headings
from utt_ros.association.pair_features import NAMES, ask, silence, weigh
from utt_ros.association.pair_scorer import Scorer
from utt_ros.association.scorers import COLUMNS, VIFI
from utt_ros.association.translator import Translator
from utt_ros.association.vifi import VifiBipartite
from utt_ros.errors import SessionError
from utt_ros.evaluation.association.encounters import Encounter, crowd, encounters
from utt_ros.evaluation.association.scorer_training import Pairs, train_scorer
from utt_ros.training.recordings import Data
from utt_ros.types import FloatArray

EVERY_TICKS = 7
PHONES = 8  # in a crowd
OFFSET_RAD = 0.25  # of a phone's compass that is not learned yet, standard deviation [R]
YOUNG_TICKS = (4, 40)  # how old half of the tracks are made
STRANGERS = 0.4  # share of encounters in which somebody has no phone
SILENT = 0.3  # share of encounters before there is a model
LACKING = 0.1  # share of encounters in which a phone has no FTM, or no IMU
JUDGED = 4  # every so manyth sequence says when to stop

Example = tuple[dict[str, FloatArray], npt.NDArray[np.intp]]


def fit_scorers(data: Data, translator: Translator, seed: int) -> dict[str, Scorer]:
    """By method, from the val split, which a model of the same data has not learned from.

    Raises SessionError where fewer than two sequences of it have two phones.
    """
    rng = np.random.default_rng(seed)
    learned, judged = _split(data)
    if not learned or not judged:
        raise SessionError('the val split has fewer than two sequences with two phones in view')
    train, val = ([_example(one, translator, rng) for one in _crowded(part, rng)]
                  for part in (learned, judged))
    return {method: train_scorer(_pairs(train, method), _pairs(val, method), seed)
            for method in COLUMNS}


def _pairs(found: Sequence[Example], method: str) -> Pairs:
    return [(evidence[method], owners) for evidence, owners in found]


def _split(data: Data) -> tuple[list[Encounter], list[Encounter]]:
    """Encounters to learn from, and to judge by: of other sequences."""
    learned: list[Encounter] = []
    judged: list[Encounter] = []
    found = (list(encounters(recording, data.shape, every=EVERY_TICKS))
             for recording in data.of('val'))
    for number, some in enumerate(some for some in found if some):
        (learned if number % JUDGED else judged).extend(some)
    return learned, judged


def _crowded(found: Sequence[Encounter], rng: np.random.Generator) -> Iterator[Encounter]:
    yield from found
    yield from crowd(found, PHONES, rng)


def _example(one: Encounter, translator: Translator, rng: np.random.Generator) -> Example:
    """Evidence by method, of an encounter as it may be live."""
    one = _lacking(_alone(_young(one, rng), rng), rng)
    seen, area = one.seen, one.area
    turned = rng.normal(0.0, OFFSET_RAD, len(seen.phones))
    angles, valid = headings(seen, area.magnetic_yaw)
    compass = (angles - turned[:, None]).astype(np.float32), valid
    said = ask(seen, valid, translator, area.magnetic_yaw)
    told = weigh(seen, area, compass, said)
    fused = weigh(seen, area, compass, silence(seen)) if rng.random() < SILENT else told
    return {'vifi': vifi_evidence(VifiBipartite(area, VIFI), seen, turned), 'fused': fused,
            'twin': told[..., [NAMES.index(name) for name in COLUMNS['twin']]]}, one.owners


def _young(one: Encounter, rng: np.random.Generator) -> Encounter:
    """Half of the encounters as if all tracks had just appeared."""
    if rng.random() < 0.5:
        return one
    mask = one.seen.boxes_mask.copy()
    mask[:, :-int(rng.integers(*YOUNG_TICKS))] = False
    rows = np.flatnonzero(mask.any(1))
    boxes = one.seen.boxes * mask[..., None]
    return replace(one, owners=one.owners[rows], seen=replace(
        one.seen, boxes=boxes, boxes_mask=mask).of_tracks(rows))


def _alone(one: Encounter, rng: np.random.Generator) -> Encounter:
    """In some encounters somebody has no phone."""
    if not len(one.owners) or len(one.seen.phones) < 2 or rng.random() >= STRANGERS:
        return one
    gone = int(rng.choice(one.owners))
    keep = [row for row in range(len(one.seen.phones)) if row != gone]
    place = np.full(len(one.seen.phones), NOBODY, np.intp)
    place[keep] = np.arange(len(keep))
    return replace(one, seen=_of_phones(one.seen, keep), owners=place[one.owners])


def _lacking(one: Encounter, rng: np.random.Generator) -> Encounter:
    """In some encounters a phone has no FTM, in some another one has no IMU."""
    seen = one.seen
    for name in ('ftm', 'imu'):
        if rng.random() < LACKING:
            mask = getattr(seen, f'{name}_mask').copy()
            mask[rng.integers(len(mask))] = False
            values = getattr(seen, name) * mask[..., None]
            seen = replace(seen, **{name: values, f'{name}_mask': mask})
    return replace(one, seen=seen)


def _of_phones(seen: Candidates, rows: Sequence[int]) -> Candidates:
    return replace(
        seen, phones=tuple(seen.phones[row] for row in rows), ftm=seen.ftm[rows],
        ftm_mask=seen.ftm_mask[rows], imu=seen.imu[rows], imu_mask=seen.imu_mask[rows])

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.association.dead_reckoning import headings
from utt_ros.association.pair_features import NAMES, ask, weigh
from utt_ros.association.translation_cache import Recall
from utt_ros.association.translator import PhoneSays
from utt_ros.errors import ModelError


class Echo:
    """Says what shows which window it was asked of: newest acceleration, newest box."""

    ticks = 10

    def __init__(self):
        self.asked = []

    def phones(self, ftm, ftm_mask, imu, imu_mask, heading_valid):
        self.asked.append(len(ftm))
        velocity = np.stack([imu[:, -1, 2] / 9.81, 0.1 * ftm[..., 0].sum(1)], axis=-1)
        boxes = np.repeat(imu[:, -1:, :5], self.ticks, axis=1)
        return PhoneSays(velocity, np.full((len(ftm), 2), 0.5, np.float32), boxes)

    def tracks(self, boxes, mask):
        return np.stack([boxes[..., 2], boxes[..., 2]], axis=-1)


class Broken(Echo):
    def phones(self, *_):
        raise ModelError('velocity is not finite')


def until(seen, tick):
    """What was seen up to a tick, in as many ticks as the whole."""
    rows = tick * seen.imu_rows

    def moved(values, kept):
        late = np.zeros_like(values)
        late[:, values.shape[1] - kept:] = values[:, :kept]
        return late
    return replace(
        seen, stamp_ns=seen.stamp_ns - round((seen.ticks - tick) * seen.period * 1e9),
        boxes=moved(seen.boxes, tick), boxes_mask=moved(seen.boxes_mask, tick),
        ftm=moved(seen.ftm, tick), ftm_mask=moved(seen.ftm_mask, tick),
        imu=moved(seen.imu, rows), imu_mask=moved(seen.imu_mask, rows))


def valid(seen):
    return headings(seen, 0.0)[1]


def heard(recall, whole):
    for tick in range(5, whole.ticks + 1, 5):
        seen = until(whole, tick)
        said = recall.hear(seen, valid(seen))
    return said


def test_from_memory_a_model_says_what_it_says_when_asked_again(area, walkers) -> None:
    recall, whole = Recall(0.0), walkers(ticks=60)
    recall.translator = Echo()
    compass = headings(whole, 0.0)
    found = weigh(whole, area, compass, heard(recall, whole))
    wanted = weigh(whole, area, compass, ask(whole, compass[1], Echo(), 0.0))
    assert np.isfinite(wanted[..., NAMES.index('velocity_rms_mps')]).all()
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_every_window_is_asked_once(walkers) -> None:
    recall, echo = Recall(0.0), Echo()
    recall.translator = echo
    heard(recall, walkers(ticks=60))
    assert echo.asked == [2] * 12


def test_what_was_said_before_the_window_is_forgotten(walkers) -> None:
    recall, whole = Recall(0.0), walkers(ticks=40)
    recall.translator = Echo()
    heard(recall, whole)
    much_later = replace(whole, stamp_ns=whole.stamp_ns + 10**11)
    assert recall.hear(much_later, valid(whole)).ends.tolist() == [40]


@pytest.mark.parametrize('translator', [None, Broken()])
def test_without_a_model_nothing_is_said(area, walkers, translator) -> None:
    recall, seen = Recall(0.0), walkers()
    recall.translator = translator
    said = recall.hear(seen, valid(seen))
    found = weigh(seen, area, headings(seen, 0.0), said)
    assert np.isnan(found[..., NAMES.index('velocity_rms_mps')]).all()
    assert np.isnan(found[..., NAMES.index('translated_range_rms_m')]).all()
    assert np.isfinite(found[..., NAMES.index('range_rms_m')]).all()
    assert recall.failures == (translator is not None)

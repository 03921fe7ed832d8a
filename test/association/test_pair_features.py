import numpy as np
import pytest

from utt_ros.association.assignment import assign
from utt_ros.association.pair_features import NAMES, cut, follow, gather, windows_at
from utt_ros.association.pair_scorer import FusedMatcher, Scorer, posterior
from utt_ros.association.translator import PhoneSays


class Ahead:
    """A model that says: everybody walks ahead at 1.2 m/s; boxes and ranges are unknown to it."""

    ticks = 10

    def phones(self, ftm, ftm_mask, imu, imu_mask, heading_valid):
        count = len(ftm)
        assert imu.shape == (count, 50, 9)
        assert imu_mask.shape == (count, 50)
        assert heading_valid.shape == (count,)
        velocity = np.tile(np.float32([1.2, 0.0]), (count, 1))
        return PhoneSays(velocity, np.ones((count, 2), np.float32),
                         np.zeros((count, 10, 5), np.float32))

    def tracks(self, boxes, mask):
        return np.zeros((len(boxes), 10, 2), np.float32)


def part(evidence, name):
    return evidence[..., NAMES.index(name)]


def test_evidence_of_true_pairs_is_that_nothing_differs(area, walkers) -> None:
    found = gather(walkers(), area, Ahead())
    for track, phone in ((0, 1), (1, 0)):
        assert part(found, 'range_rms_m')[track, phone] == pytest.approx(0.0, abs=0.05)
        assert part(found, 'heading_along')[track, phone] == pytest.approx(1.0, abs=0.01)
        assert part(found, 'velocity_rms_mps')[track, phone] == pytest.approx(0.0, abs=0.1)
    assert part(found, 'ranges').tolist() == [[10, 10], [10, 10]]
    assert part(found, 'seconds')[0, 0] == pytest.approx(3.0)


def test_evidence_of_false_pairs_tells_how_much_differs(area, walkers) -> None:
    found = gather(walkers(), area, Ahead())
    assert part(found, 'heading_across')[0, 0] == pytest.approx(-1.0, abs=0.01)  # to its right
    assert part(found, 'velocity_rms_mps')[0, 0] == pytest.approx(1.2 * 2**0.5, abs=0.1)


def test_evidence_begins_when_a_track_appears(area, walkers) -> None:
    found = gather(walkers(appeared=21), area, Ahead())
    assert part(found, 'ranges')[0].tolist() == [3, 3]
    assert part(found, 'seconds')[0, 0] == pytest.approx(0.9)


def test_without_ranging_ranges_tell_nothing(area, walkers) -> None:
    seen = walkers()
    seen.ftm_mask[:] = False
    found = gather(seen, area, Ahead())
    assert np.isnan(part(found, 'range_mean_m')).all()
    assert np.isfinite(part(found, 'heading_along')).all()


def test_evidence_of_nobody_is_empty(area, walkers) -> None:
    assert gather(walkers().of_tracks([]), area, Ahead()).shape == (0, 2, len(NAMES))


def test_gaps_of_a_track_are_filled_by_straight_lines(area, walkers) -> None:
    seen = walkers()
    seen.boxes_mask[0, 10:13] = False
    assert follow(seen, area).position[0, 11] == pytest.approx([5.32, -1.0], abs=0.05)


def test_fused_matcher_takes_the_likelier_pairs(area, walkers) -> None:
    count = len(NAMES)
    hidden = np.zeros((1, count), np.float32)
    hidden[0, NAMES.index('range_rms_m')] = -1.0
    scorer = Scorer(np.zeros(count, np.float32), np.ones(count, np.float32), hidden,
                    np.zeros(1, np.float32), np.ones(1, np.float32))
    cost = FusedMatcher(area, Ahead(), scorer).cost(walkers())
    assert assign(cost).tolist() == [1, 0]
    assert cost[0, 1] == pytest.approx(0.0, abs=0.05)  # -tanh(-0)


def test_posterior_is_a_softmax_of_negative_costs() -> None:
    found = posterior(np.array([[0.0, np.log(3.0)]]))
    assert found[0] == pytest.approx([0.75, 0.25])


def test_windows_before_the_first_tick_are_zeros() -> None:
    values = np.arange(1, 5)[None]
    assert windows_at(values, np.array([2, 4]), 3, 1).tolist() == [[[0, 1, 2], [2, 3, 4]]]
    assert cut(values, 3).tolist() == [[[0, 0, 1], [2, 3, 4]]]

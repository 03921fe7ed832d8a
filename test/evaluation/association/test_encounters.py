from dataclasses import replace

import numpy as np
import pytest

from utt_ros.evaluation.association.encounters import crowd, encounters
from utt_ros.evaluation.metrics.association import Score, Setting, judge, mean_idp
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.recordings import Recording
from utt_ros.types import SyncedBatch

SHAPE = WindowSettings()
NAMES = ('anna', 'bert')


def batch(tick, seen, subjects=NAMES):
    count = len(subjects)
    camera = np.zeros((count, 5), np.float32)
    for row, name in enumerate(subjects):
        place = 300.0 if name == 'bert' else 900.0  # Bert is to the left
        camera[row] = place, 350.0, 6.0, 40.0, 120.0
    mask = np.array([name in seen for name in subjects])
    return SyncedBatch(
        stamp_ns=10**18 + tick * 10**8, epoch=0, sequence=tick, camera_tick=True,
        subjects=subjects, track_ids=tuple(f'track of {name}' for name in subjects),
        association=np.ones(count, np.float32), camera=camera * mask[:, None], camera_mask=mask,
        ftm=np.full((count, 2), 5.0, np.float32), ftm_age_s=np.zeros(count, np.float32),
        ftm_mask=np.ones(count, bool), imu=np.zeros((count, 5, 9), np.float32),
        imu_mask=np.ones((count, 5), bool))


def recording(seen_at, ticks=60, name='one'):
    batches = tuple(batch(tick, seen_at(tick)) for tick in range(ticks))
    return Recording(AreaSettings(), name, 'test', batches, None)


def found(seen_at, **options):
    return list(encounters(recording(seen_at), SHAPE, **options))


def test_no_label_is_left_in_what_a_method_sees() -> None:
    for one in found(lambda _: NAMES):
        assert not any(name in track for track in one.seen.track_ids for name in NAMES)
        assert one.seen.phones == NAMES


def test_owners_tell_which_phone_belongs_to_which_track() -> None:
    one = found(lambda _: NAMES)[-1]
    left = int(np.argmin(one.seen.boxes[:, -1, 0]))
    assert one.seen.phones[one.owners[left]] == 'bert'
    assert sorted(one.owners.tolist()) == [0, 1]


def test_a_track_that_was_lost_for_long_gets_a_new_id() -> None:
    def seen_at(tick):
        return NAMES if not 20 <= tick < 35 else ('anna',)
    before, after = (one.seen.track_ids for one in (found(seen_at)[1], found(seen_at)[-1]))
    assert len(set(before) & set(after)) == 1  # only Anna's


def test_a_track_that_was_missed_for_a_moment_keeps_its_id() -> None:
    def seen_at(tick):
        return NAMES if tick % 5 else ('anna',)
    ids = {track for one in found(seen_at) for track in one.seen.track_ids}
    assert len(ids) == 2


def test_where_only_one_phone_is_there_nobody_is_asked() -> None:
    alone = recording(lambda _: ('anna',))
    alone = replace(alone, batches=tuple(
        batch(tick, ('anna',), ('anna',)) for tick in range(30)))
    assert not list(encounters(alone, SHAPE))
    assert list(encounters(alone, SHAPE, phones=1))


def test_a_fixed_window_takes_the_tracks_that_are_as_old() -> None:
    def seen_at(tick):
        return NAMES if tick >= 40 else ('anna',)
    last = found(seen_at)[-1]
    assert len(last.owners) == 2
    assert len(last.last(10).owners) == 2
    short = last.last(50)
    assert [short.seen.phones[row] for row in short.owners] == ['anna']
    assert short.seen.boxes_mask.shape == (1, 50)


def test_in_a_crowd_there_are_phones_of_people_from_other_sequences() -> None:
    ones = [one for name in ('one', 'two')
            for one in encounters(recording(lambda _: NAMES, name=name), SHAPE)]
    crowded = list(crowd(ones, 5, np.random.default_rng(0)))
    assert all(one.seen.ftm.shape[0] == len(one.seen.phones) == 5 for one in crowded)
    assert all(np.array_equal(one.owners, old.owners)
               for one, old in zip(crowded, ones, strict=True))


def test_idp_is_the_share_of_tracks_of_the_wanted_age_with_the_right_phone() -> None:
    ones = tuple(found(lambda _: NAMES))

    def swapped_when_young(one):
        cost = np.ones((2, 2))
        cost[[0, 1], one.owners] = 0.0
        return cost if one.seen.ages_s.min() > 3.0 else 1.0 - cost
    scores = judge([Setting('all', ones), Setting('old', ones, (3.5, 99.0))], swapped_when_young)
    assert scores['old'] == Score(6, 6)
    assert scores['all'] == Score(6, 12)
    assert mean_idp(scores) == pytest.approx(0.75)


def test_the_mean_leaves_out_settings_without_tracks() -> None:
    assert mean_idp({'a': Score(1, 2), 'b': Score(0, 0)}) == 0.5

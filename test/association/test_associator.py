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

"""People cross in front of a camera without labels, and keep their phones."""

from collections import Counter

import numpy as np
import pytest

from utt_ros.association.associator import LiveAssociator, make_associator
from utt_ros.association.translator import PhoneTranslation
from utt_ros.errors import ModelError
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer

AREA, WINDOW = AreaSettings(), WindowSettings()
T0 = 1_700_000_000_000_000_000
METHODS = ('vifi', 'fused')
SECONDS = 12.0
WALKS = {  # name -> where at 0 s, and velocity: they meet in the picture after 6 s
    'anna': ((7.0, -4.2), (0.0, 0.7)), 'bert': ((8.5, 4.2), (0.0, -0.7)),
    'carl': ((3.0, 1.0), (0.9, 0.0))}
TRACKS = {'anna': '17', 'bert': '4', 'carl': '9'}
OFFSET_RAD = 0.3  # all hold their phones like that


def imu_of(name, seconds):
    """IMU of a phone that lies in the hand: two steps a second, and north."""
    velocity = WALKS[name][1]
    heading = np.arctan2(velocity[1], velocity[0]) + OFFSET_RAD
    up = 9.81 + 2.5 * np.sin(2 * np.pi * 2.0 * seconds)
    mag = -2e-5 * np.cos(heading), 2e-5 * np.sin(heading), -4e-5
    return (0.0, 0.0, float(up), 0.0, 0.0, 0.0), tuple(float(part) for part in mag)


def messages(phones, seen, labels=(), seed=0, begin_s=0.0):
    """(stamp, method of the synchronizer, arguments) in order of stamps; seeded noise."""
    rng = np.random.default_rng(seed)
    camera = CameraModel(AREA)

    def at(name, seconds):
        where, velocity = WALKS[name]
        return np.array(where) + seconds * np.array(velocity)

    def stamp(seconds):
        return T0 + round((begin_s + seconds) * 1e9)
    found = []
    for name in phones:
        for seconds in np.arange(0.0, SECONDS, 0.02):
            inertial, magnetic = imu_of(name, seconds)
            found.append((stamp(seconds), 'add_inertial', (name, stamp(seconds), inertial)))
            found.append((stamp(seconds), 'add_magnetic', (name, stamp(seconds), magnetic)))
        for seconds in np.arange(0.05, SECONDS, 0.33):
            distance = np.hypot(np.linalg.norm(at(name, seconds)), 1.3) + rng.normal(0, 0.4)
            found.append((stamp(seconds), 'add_ftm', (name, stamp(seconds), distance, 0.4)))
    for seconds in np.arange(0.1, SECONDS, 0.1):
        boxes = camera.project(np.stack([at(name, seconds) for name in seen]))
        order = rng.permutation(len(seen))
        found.append((stamp(seconds), 'add_tracks', (
            stamp(seconds), boxes[order].astype(np.float32),
            [seen[row] if seen[row] in labels else '' for row in order],
            [TRACKS[seen[row]] for row in order], np.ones(len(seen), np.float32))))
    return sorted(found, key=lambda message: message[0])


def batches(feed, method, translator=None, **settings):
    made = SyncSettings(association=method, **settings)
    associator = make_associator(made, AREA, WINDOW)
    associator.use_model(translator)
    synchronizer = Synchronizer(made, WINDOW, AREA.modalities, associator)
    found = []
    for _, add, arguments in feed:
        getattr(synchronizer, add)(*arguments)
        found += synchronizer.poll()
    assert isinstance(associator, LiveAssociator)
    return found


def names_at(found, seconds, begin_s=0.0):
    """The subject of each track."""
    batch = next(each for each in found if each.stamp_ns >= T0 + (begin_s + seconds) * 1e9)
    return {track: name for name, track in zip(batch.subjects, batch.track_ids, strict=True)
            if track}


@pytest.mark.parametrize('method', METHODS)
def test_two_people_who_cross_keep_their_own_phones(method) -> None:
    found = batches(messages(('anna', 'bert'), ('anna', 'bert')), method)
    wanted = {'17': 'anna', '4': 'bert'}
    assert names_at(found, 4.0) == wanted
    for batch in found:
        if batch.stamp_ns > T0 + 4e9:
            assert names_at([batch], 0.0) == wanted
    assert found[-1].association.min() > 0.8


@pytest.mark.parametrize('method', METHODS)
def test_a_person_without_a_phone_and_a_phone_out_of_view_are_not_matched(method) -> None:
    found = batches(messages(('anna', 'carl'), ('anna', 'bert')), method)
    assert names_at(found, 11.0) == {'17': 'anna'}
    last = found[-1]
    assert last.subjects == ('anna', 'carl')
    assert last.association[1] == 0.0
    assert not last.camera_mask[1]


def test_labels_are_kept_and_their_phones_are_not_given_to_others() -> None:
    found = batches(messages(('anna',), ('anna', 'bert'), labels=('anna',)), 'fused')
    for batch in found[1:]:
        assert names_at([batch], 0.0) == {'17': 'anna'}
        assert batch.association.tolist() == [1.0]


def bits(record):
    return [value.tobytes() if isinstance(value, np.ndarray) else value
            for value in (getattr(record, name) for name in type(record).__slots__)]


class ConstantVelocityModel:
    """Translator: everybody walks ahead at 0.7 m/s."""

    ticks = 30

    def translate_phones(self, ftm, ftm_mask, imu, imu_mask, heading_valid):
        count = len(ftm)
        return PhoneTranslation(np.tile(np.float32([0.7, 0.0]), (count, 1)),
                         np.full((count, 2), 0.3, np.float32),
                         np.zeros((count, 30, 5), np.float32))

    def translate_tracks(self, boxes, mask):
        return np.zeros((len(boxes), 30, 2), np.float32)


@pytest.mark.parametrize('method', [*METHODS, 'twin'])
def test_the_order_of_arrival_changes_no_bit(method) -> None:
    people = ('anna', 'bert', 'carl')
    feed = messages(people, people)
    delay_ns = {'add_tracks': 30e6, 'add_ftm': 10e6, 'add_inertial': 0.0, 'add_magnetic': 20e6}
    arrived = sorted(feed, key=lambda message: message[0] + delay_ns[message[1]])
    assert arrived != feed
    ordered, late = (
        batches(feed_, method, ConstantVelocityModel()) for feed_ in (feed, arrived))
    count = min(len(ordered), len(late))
    assert count > 100
    assert [bits(batch) for batch in ordered[:count]] == [bits(batch) for batch in late[:count]]
    assert method == 'twin' or any(batch.association.any() for batch in ordered)


def test_a_clock_that_jumps_back_restarts_association() -> None:
    people = ('anna', 'bert')
    again = messages(people, people, begin_s=-100.0)
    found = batches([*messages(people, people), *again], 'fused')
    first, second = ([each for each in found if each.epoch == epoch] for epoch in (0, 1))
    assert first[-1].association.min() > 0.95
    assert second[0].association.max() < 0.9
    assert names_at(second, 5.0, begin_s=-100.0) == {'17': 'anna', '4': 'bert'}
    assert names_at(first, 5.0) == {'17': 'anna', '4': 'bert'}


def test_phones_are_matched_at_the_association_period() -> None:
    settings = SyncSettings(association='fused')
    associator = make_associator(settings, AREA, WINDOW)
    synchronizer = Synchronizer(settings, WINDOW, AREA.modalities, associator)
    for _, add, arguments in messages(('anna', 'bert'), ('anna', 'bert')):
        getattr(synchronizer, add)(*arguments)
        synchronizer.poll()
    assert associator.matches == pytest.approx(2 * SECONDS, abs=2)


def test_of_boxes_with_one_track_id_or_none_at_most_one_is_named() -> None:
    feed = messages(('anna', 'bert'), ('anna', 'bert'))
    for _, add, arguments in feed:
        if add == 'add_tracks':
            arguments[3][:] = ['17' if track == '17' else '' for track in arguments[3]]
            arguments[3][0] = '17'
    for batch in batches(feed, 'fused'):
        assert max(Counter(track for track in batch.track_ids if track).values(), default=0) <= 1


def test_tracks_of_one_frame_are_not_named_with_confidence() -> None:
    feed = messages(('anna', 'bert'), ('anna', 'bert'))
    for number, (_, add, arguments) in enumerate(feed):
        if add == 'add_tracks':
            arguments[3][:] = [f'{number}-{box}' for box in range(len(arguments[3]))]
    found = batches(feed, 'fused')
    assert len(found) > 100
    assert max(each.association.max(initial=0.0) for each in found) < 0.9


class FailingModel(ConstantVelocityModel):
    def translate_phones(self, *_):
        raise ModelError('velocity is not finite')


def test_failures_of_the_model_are_counted_and_association_goes_on() -> None:
    settings = SyncSettings(association='fused')
    associator = make_associator(settings, AREA, WINDOW)
    associator.use_model(FailingModel())
    synchronizer, found = Synchronizer(settings, WINDOW, AREA.modalities, associator), []
    for _, add, arguments in messages(('anna', 'bert'), ('anna', 'bert')):
        getattr(synchronizer, add)(*arguments)
        found += synchronizer.poll()
    assert associator.model_failures == associator.matches > 10
    assert associator.last_model_failure == 'velocity is not finite'
    assert names_at(found, 11.0) == {'17': 'anna', '4': 'bert'}

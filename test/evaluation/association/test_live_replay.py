"""Live association on walks of the simulator that no likelihood was fitted on."""

import numpy as np
import pytest

from utt_ros.evaluation.association.live_replay import Seen, join, run, strip, table, without_phone
from utt_ros.sessions.simulator.world import plan, simulate
from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.training.recordings import Recording

SHAPE = WindowSettings()


@pytest.fixture(scope='module')
def recording():
    planned = plan(1, 1.5, seed=24)[0]
    session = simulate(planned)
    return Recording(planned.area.settings, planned.name, 'test',
                     tuple(synchronize(session, windows=SHAPE)), session)


def test_no_label_is_left_and_tracks_still_have_owners(recording) -> None:
    bare, owners = strip(recording.session)
    assert set(bare.frames.subjects) == {''}
    assert [owners[track] for track in bare.frames.track_ids] == list(
        recording.session.frames.subjects)


def test_labels_are_right_at_every_age(recording) -> None:
    found = run(recording, SHAPE, 'labels', None)
    assert found.seen.idp == 1.0
    assert found.seen.wrong == 0.0
    assert np.median(found.errors_m) < 0.3


def test_tracks_get_their_own_phones(recording) -> None:
    found = run(recording, SHAPE, 'fused', None)
    share, right = found.seen.certain
    assert found.seen.at(5.0) > 0.8
    assert share > 0.4
    assert right > 0.95
    assert found.seen.wrong < 0.1
    assert '`fused`' in table({'fused': (found, found)})
    assert len(join([found, found]).errors_m) == 2 * len(found.errors_m)


def test_who_left_the_phone_at_home_mostly_gets_none(recording) -> None:
    session, gone = without_phone(recording.session)
    assert gone not in session.phones
    found = run(recording, SHAPE, 'fused', None, twin=False, session=session).seen
    assert found.stranger.any()
    given, sure = found.strangers
    assert sure <= given < 0.3


def seen_of(right, named, ages=(0.2, 1.0, 1.0, 3.0)):
    return Seen(np.array(ages), np.array(right, bool), np.array(named, bool), np.ones(4, bool),
                np.zeros(4, bool), np.array([0.0, 0.95, 0.95, 0.5]), 0, 1.0)


def test_idp_counts_who_is_not_named_as_not_found() -> None:
    found = seen_of([0, 1, 0, 1], [0, 1, 1, 1])
    assert (found.at(1.0), found.at(3.0), found.idp) == (0.5, 1.0, 0.5)
    assert np.isnan(found.at(10.0))
    assert found.wrong == 0.25
    assert found.certain == (0.5, 0.5)

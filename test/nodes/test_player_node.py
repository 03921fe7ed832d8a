"""Progress line of a replay; replays over DDS are tested in test_replay_record."""

import pytest

from utt_ros.nodes.player_node import progress_text
from utt_ros.sessions.player import ReplayPosition


@pytest.mark.parametrize(('position', 'text'), [
    (ReplayPosition('', 0.0, 0.0, False), 'waiting for subscribers'),
    (ReplayPosition('one', 1.25, 60.0, False), 'one   1.2 of 60.0 s'),
    (ReplayPosition('one', 2.0, 60.0, True), 'one   2.0 of 60.0 s   paused, space resumes'),
])
def test_progress_line_has_the_bag_its_times_and_the_pause(position, text):
    assert progress_text(position) == text

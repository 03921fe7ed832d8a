"""Bags as streams: reading any storage, writing what is recorded."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.errors import SessionError, SettingsError
from utt_ros.sessions.bag_io import qos
from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.recorded import Topic, find_topics, matches, open_bag
from utt_ros.sessions.recorder import BagRecorder
from utt_ros.sessions.session_bags import read_session

IMU, TRACKS = 'sensor_msgs/msg/Imu', 'utt_ros/msg/Tracks'


def contents(bag: Path, topics: set[str] | None = None) -> list[tuple[int, str, bytes]]:
    with open_bag(bag) as opened:
        names = topics or {topic.name for topic in opened.topics}
        return list(opened.messages(names, opened.start_ns, opened.end_ns))


def write_sqlite3(path: Path) -> None:
    with Writer(path, version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
        slow, fast = (
            writer.add_connection(
                name, 'std_msgs/msg/String', typestore=typestore(), offered_qos_profiles=offered)
            for name, offered in (('/slow', [qos(False, True, 7)]), ('/fast', [])))
        for stamp in range(1, 31):
            writer.write(fast, stamp, b'\x00\x01\x00\x00%d' % stamp)
            if stamp % 10 == 0:
                writer.write(slow, stamp, b'slow')


def test_mcap_bag_is_read_with_its_topics_and_what_they_offered(bag: Path) -> None:
    found = {topic.name: topic for topic in find_topics([bag])}
    assert found['/hall/camera/tracks'] == Topic('/hall/camera/tracks', TRACKS, False, False, 200)
    assert found['/hall/truth/anna/odom'].reliable
    messages = contents(bag, {'/hall/phones/anna/imu/data_raw'})
    assert len(messages) == 150
    assert [log_ns for log_ns, _, _ in messages] == sorted(log_ns for log_ns, _, _ in messages)


def test_sqlite3_bag_is_read_like_any_other(tmp_path: Path) -> None:
    write_sqlite3(tmp_path / 'bag')
    assert find_topics([tmp_path / 'bag']) == [
        Topic('/fast', 'std_msgs/msg/String'),
        Topic('/slow', 'std_msgs/msg/String', False, True, 7)]
    messages = contents(tmp_path / 'bag')
    assert len(messages) == 33
    assert messages[0] == (1, '/fast', b'\x00\x01\x00\x001')
    with open_bag(tmp_path / 'bag') as opened:
        some = list(opened.messages({'/slow'}, 10, 30))
        assert [log_ns for log_ns, _, _ in some] == [10, 20]
        assert list(opened.messages(set(), 0, 99)) == []


@pytest.mark.parametrize('harm', [
    lambda bag: (bag / 'metadata.yaml').write_text('no: bag'),
    lambda bag: (bag / 'metadata.yaml').unlink(),
    lambda bag: next(bag.glob('*.mcap')).write_bytes(b'no mcap'),
    lambda bag: next(bag.glob('*.mcap')).unlink(),
])
def test_broken_bag_is_an_error_that_names_it(bag: Path, harm: Callable[[Path], object]) -> None:
    harm(bag)
    with pytest.raises(SessionError, match=str(bag)), open_bag(bag):
        pass


def test_topics_are_chosen_by_whole_names(bag: Path) -> None:
    chosen = find_topics([bag], ['/hall/camera/.*', '/hall/phones/anna/ft'])
    assert [topic.name for topic in chosen] == ['/hall/camera/camera_info', '/hall/camera/tracks']
    with pytest.raises(SettingsError, match=r"'\(' is no regular expression"):
        matches('/hall', ['('])


def test_recording_holds_the_bytes_it_was_given(bag: Path, tmp_path: Path) -> None:
    given = contents(bag)
    recorder = BagRecorder(tmp_path / 'copy')
    for topic in find_topics([bag]):
        recorder.add(topic)
    for message in given:
        recorder.write(*message)
    recorder.close()
    assert (recorder.written, recorder.dropped, recorder.error) == (len(given), 0, None)
    assert contents(tmp_path / 'copy') == given
    assert find_topics([tmp_path / 'copy']) == [
        topic for topic in find_topics([bag]) if any(topic.name == name for _, name, _ in given)]
    copy, original = read_session(tmp_path / 'copy'), read_session(bag)
    assert copy.phones['anna'].inertial.tobytes() == original.phones['anna'].inertial.tobytes()
    document = yaml.safe_load((tmp_path / 'copy' / 'metadata.yaml').read_text())
    assert document['rosbag2_bagfile_information']['message_count'] == len(given)
    assert document['rosbag2_bagfile_information']['ros_distro'] == 'jazzy'


def test_recording_of_nothing_is_a_bag(tmp_path: Path) -> None:
    BagRecorder(tmp_path / 'bag').close()
    assert find_topics([tmp_path / 'bag']) == []
    assert contents(tmp_path / 'bag') == []


def test_recording_over_a_bag_is_refused(bag: Path) -> None:
    with pytest.raises(SessionError, match='exists'):
        BagRecorder(bag)


def test_messages_beyond_the_bound_are_dropped_and_counted(tmp_path: Path) -> None:
    recorder = BagRecorder(tmp_path / 'bag', most_bytes=10_000)
    recorder.add(Topic('/a', 'std_msgs/msg/String'))
    recorder.write(1, '/a', bytes(9_900))
    assert (recorder.written, recorder.dropped) == (0, 1)
    recorder.write(2, '/a', bytes(1000))
    recorder.close()
    assert (recorder.written, recorder.dropped) == (1, 1)


def test_failure_while_writing_ends_the_recording_and_is_kept(tmp_path: Path) -> None:
    recorder = BagRecorder(tmp_path / 'bag')
    recorder.add(Topic('/a', 'nobody_msgs/msg/Knows'))
    assert not recorder.can_record('nobody_msgs/msg/Knows')
    recorder.write(1, '/a', b'')
    recorder.close()
    assert isinstance(recorder.error, SessionError)
    recorder.write(2, '/a', b'')
    assert recorder.dropped == 1

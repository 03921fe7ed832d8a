"""Recordings as experiments see them."""

from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import SessionError
from utt_ros.sessions.session_bags import find_sessions
from utt_ros.training import cache
from utt_ros.training.recordings import Data, fingerprint, load


def same(a: object, b: object) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == 'f')
    return a == b


def test_a_sequence_survives_the_cache(data: Data, tmp_path: Path) -> None:
    item = data.recordings[0]
    cache.write(tmp_path / 'kept.npz', item.session, item.batches)
    kept = cache.read(tmp_path / 'kept.npz')
    assert kept is not None
    assert same(asdict(kept[0]), asdict(item.session))
    assert len(kept[1]) == len(item.batches)
    for ours, theirs in zip(kept[1], item.batches, strict=True):
        assert all(same(getattr(ours, field.name), getattr(theirs, field.name))
                   for field in fields(ours))


def test_a_sequence_without_a_camera_survives_the_cache(data: Data, tmp_path: Path) -> None:
    item = data.of('train', 'area1')[0]
    cache.write(tmp_path / 'kept.npz', item.session, item.batches)
    kept = cache.read(tmp_path / 'kept.npz')
    assert kept is not None
    assert same(asdict(kept[0]), asdict(item.session))


@pytest.mark.parametrize('content', [b'', b'PK\x03\x04 half a file'])
def test_a_broken_cache_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'kept.npz').write_bytes(content)
    assert cache.read(tmp_path / 'kept.npz') is None


def test_splits_are_those_that_were_recorded(data: Data) -> None:
    assert [item.split for item in data.of('train')] == ['train', 'train']
    assert {item.sequence for item in data.of('test')} == {'area0/session02', 'area1/session02'}
    assert data.notes == ()


def test_windows_know_their_sequences_and_do_not_overlap(data: Data) -> None:
    cut = data.windows('test', 'area0', ticks=data.shape.ticks)
    assert set(cut.sequences) == {'area0/session02'}
    length_ns = round(data.shape.ticks * data.shape.period * 1e9)
    for subject in set(cut.windows.subjects):
        rows = [row for row, name in enumerate(cut.windows.subjects) if name == subject]
        assert (np.diff(cut.windows.stamps_ns[rows]) >= 0.99 * length_ns).all()


def test_windows_of_an_area_that_is_not_there_are_an_error(data: Data) -> None:
    with pytest.raises(SessionError, match='no train sequence'):
        data.windows('train', 'area7')


def test_the_fingerprint_follows_the_contents(tmp_path: Path) -> None:
    (tmp_path / 'a').write_text('1')
    before = fingerprint(tmp_path)
    (tmp_path / '.hidden').write_text('x')
    assert fingerprint(tmp_path) == before
    (tmp_path / 'a').write_text('2')
    assert fingerprint(tmp_path) != before


def test_sequences_are_held_out_where_no_split_was_recorded(
    sessions: Path, tmp_path: Path,
) -> None:
    for area, bags in find_sessions(sessions).items():
        (tmp_path / 'in' / area).mkdir(parents=True)
        (tmp_path / 'in' / area / 'area.yaml').symlink_to(sessions / area / 'area.yaml')
        for bag in bags:
            copy = tmp_path / 'in' / area / bag.name
            copy.mkdir()
            for file in bag.iterdir():
                content = file.read_bytes()
                if file.name == 'metadata.yaml':
                    text = content.decode()
                    for split in ('train', 'val', 'test'):
                        text = text.replace(f'split: {split}', "split: ''")
                    content = text.encode()
                (copy / file.name).write_bytes(content)
    found = load(tmp_path / 'in', tmp_path / 'cache')
    assert [item.split for item in found.recordings] == ['train', 'val', 'test'] * 2
    assert found.notes[0].startswith('no test split was recorded: held out area0/session02')


def test_real_recordings_are_read_in_their_own_layout(mini: Path, tmp_path: Path) -> None:
    found = load(mini, tmp_path)
    assert {item.split for item in found.recordings} == {'train', 'val', 'test'}
    assert found.modalities == ('camera', 'ftm', 'imu')
    assert all(item.session.truth for item in found.recordings)

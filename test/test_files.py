from pathlib import Path

import pytest

from utt_ros.files import write_atomically


def test_a_write_replaces_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / 'model.safetensors'
    write_atomically(path, b'old')
    write_atomically(path, b'new')
    assert path.read_bytes() == b'new'
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_file_and_removes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / 'model.safetensors'
    write_atomically(path, b'old')

    def fail(_descriptor: int) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', fail)
    with pytest.raises(OSError, match='No space left'):
        write_atomically(path, b'new')
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_directory_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / 'nowhere' / 'file', b'')

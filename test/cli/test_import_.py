from pathlib import Path

import pytest

from utt_ros.cli.main import main


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='0'):
        main(['import', '--help'])
    assert 'utt import vifi ~/RAN4model_dfv4p4 --out sessions' in capsys.readouterr().out


def test_a_folder_without_sequences_ends_with_an_error(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source in (tmp_path, tmp_path / 'nowhere'):
        assert main(['import', 'vifi', str(source), '--out', str(tmp_path / 'out')]) == 2
        assert str(source) in capsys.readouterr().err


def test_a_broken_scenes_json_ends_with_an_error(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'indoor' / 'scene0' / 'a' / 'IMU').mkdir(parents=True)
    (tmp_path / 'scenes.json').write_text('[]')
    assert main(['import', 'vifi', str(tmp_path), '--out', str(tmp_path / 'out')]) == 2
    assert 'scenes.json' in capsys.readouterr().err

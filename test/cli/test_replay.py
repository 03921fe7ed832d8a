import pytest

from utt_ros.cli.main import main


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='0'):
        main(['replay', '--help'])
    assert 'utt replay sessions/area0/* --rate 2 --loop' in capsys.readouterr().out


def test_a_remapping_without_both_names_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        main(['replay', 'bag', '--remap', '/hall/:='])
    assert 'it must be OLD:=NEW' in capsys.readouterr().err

import pytest

from utt_ros.cli.main import main


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='0'):
        main(['record', '--help'])
    assert 'utt record evening /hall/ /stairs/' in capsys.readouterr().out

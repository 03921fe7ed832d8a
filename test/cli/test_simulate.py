from pathlib import Path

import pytest

from utt_ros.cli.main import main


def utt_simulate(out: Path, *options: str) -> int:
    return main(['simulate', '--out', str(out), '--minutes', '0.6', '--seed', '3', *options])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    assert utt_simulate(tmp_path / 'one', '--areas', '1') == 0
    assert utt_simulate(tmp_path / 'two', '--areas', '1') == 0
    assert utt_simulate(tmp_path / 'other', '--areas', '1', '--seed', '4') == 0
    one, two, other = (
        [path.read_bytes() for path in sorted((tmp_path / name).rglob('*.*'))
         if path.is_file()] for name in ('one', 'two', 'other'))
    assert len(one) == 1 + 3 * 2
    assert one == two
    assert one != other


def test_sessions_of_two_runs_are_not_mixed(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'something').mkdir()
    assert utt_simulate(tmp_path) == 2
    assert 'is not empty' in capsys.readouterr().err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='0'):
        main(['simulate', '--help'])
    assert 'utt simulate --out sessions --areas 3' in capsys.readouterr().out

from pathlib import Path

import pytest

from utt_ros.cli.main import main
from utt_ros.errors import SessionError
from utt_ros.evaluation.association.bench_association import fit, read
from utt_ros.models.model_card import save_model
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.training.settings import LearningSettings


@pytest.fixture(scope='module')
def sessions(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('sessions')
    assert main(['simulate', '--out', str(folder), '--areas', '1', '--minutes', '0.7']) == 0
    return folder


@pytest.fixture
def model(sessions, tmp_path) -> Path:
    twin = UnifiedTwin(ModelSettings(width=8, heads=2, feedforward=8), WindowSettings())
    save_model(tmp_path / 'model.safetensors', twin, 'nothing', {}, {})
    return tmp_path / 'model.safetensors'


def test_the_command_tells_how_well_tracks_are_matched(sessions, model, capsys) -> None:
    assert main(['bench', 'association', '--data', str(sessions), '--model', str(model),
                 '--only', 'labels', 'twin']) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert [line.split('|')[1].strip() for line in lines[2:4]] == ['`labels`', '`twin`']
    assert lines[4].startswith('twin: a match of 20 tracks and 20 phones ')
    assert lines[2].split('|')[6].strip() == '1.000'


def test_one_sequence_is_too_few_to_fit_on(sessions, model, tmp_path) -> None:
    assert len(read(sessions, None).of('val')) == 1
    with pytest.raises(SessionError, match='fewer than two sequences'):
        fit(sessions, model, tmp_path / 'own.json', 0)


def test_only_what_is_nearly_certain_is_learned_from_by_default() -> None:
    assert LearningSettings().min_association == pytest.approx(0.9)

import json

import numpy as np
import pytest

from utt_ros.association.scorers import COLUMNS, SHIPPED, read_scorer, write_scorers
from utt_ros.errors import SettingsError


@pytest.mark.parametrize('method', COLUMNS)
def test_the_package_has_a_likelihood_for_every_method(method) -> None:
    scores = read_scorer(method)(np.full((2, 3, len(COLUMNS[method])), np.nan, np.float32))
    assert scores.shape == (2, 3)
    assert np.isfinite(scores).all()


def test_what_is_written_is_read_again(tmp_path) -> None:
    scorer = read_scorer('vifi')
    (tmp_path / 'own.json').write_text(write_scorers({'vifi': scorer}))
    again = read_scorer('vifi', tmp_path / 'own.json')
    evidence = np.random.default_rng(0).normal(0, 3, (4, 3)).astype(np.float32)
    np.testing.assert_allclose(again(evidence), scorer(evidence), rtol=1e-6)


def changed(tmp_path, change):
    content = json.loads(SHIPPED.read_text())
    change(content['vifi'])
    path = tmp_path / 'changed.json'
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize('change', [
    lambda one: one.update(std=[0.0, 1.0, 1.0]),
    lambda one: one.update(out=[1.0]),
    lambda one: one.update(level='high'),
    lambda one: one.update(mean=[float('nan')] * 3),
    lambda one: one.update(columns=['vifi_cost', 'seconds', 'ranges']),
    lambda one: one.pop('hidden'),
])
def test_a_file_that_does_not_fit_is_refused(tmp_path, change) -> None:
    with pytest.raises(SettingsError, match='vifi'):
        read_scorer('vifi', changed(tmp_path, change))


@pytest.mark.parametrize('content', ['', '[]', '{"vifi": 3}', 'nonsense'])
def test_what_is_no_such_file_is_refused(tmp_path, content) -> None:
    path = tmp_path / 'bad.json'
    path.write_text(content)
    with pytest.raises(SettingsError, match=r'bad\.json'):
        read_scorer('vifi', path)


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(SettingsError, match=r'none\.json'):
        read_scorer('fused', tmp_path / 'none.json')

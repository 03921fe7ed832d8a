"""A server that waits for nobody: what is old counts less, what is too old not at all."""

from dataclasses import replace

import numpy as np
import pytest
from utt_ros.evaluation.federated.fedasync import AsynchronousServer, Mixing

from utt_ros.errors import SettingsError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.client_messages import answer, open_model
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import GlobalModel, Update

INITIAL = {'a': np.float32([0.0, 0.0]), 'b': np.float32([1.0])}
MIXING = Mixing(weight=0.5, exponent=1.0, max_staleness=2)


@pytest.fixture
def server() -> AsynchronousServer:
    return AsynchronousServer(
        AggregatorSettings(), MIXING, Checkpoint('f00d', 0, '{}', INITIAL))


def update(model: GlobalModel, value: float, *names: str) -> Update:
    tensors = {name: np.full_like(INITIAL[name], value) for name in names or INITIAL}
    return answer(model, 'north', 5, ('imu',), tensors)


def test_an_update_of_the_newest_model_is_mixed_in_with_the_whole_weight(
    server: AsynchronousServer,
) -> None:
    assert server.receive(update(server.model, 4.0)) is None
    model = open_model(server.model, 10**6)
    np.testing.assert_allclose(model['a'], 2.0)
    np.testing.assert_allclose(model['b'], 0.5 * 4.0 + 0.5 * 1.0)
    assert server.model.round == 1


def test_weight_falls_with_staleness(server: AsynchronousServer) -> None:
    first = server.model
    for _ in range(2):
        server.receive(update(server.model, 0.0, 'a'))
    assert server.receive(update(first, 6.0, 'a')) is None
    np.testing.assert_allclose(server.checkpoint.tensors['a'], 6.0 * 0.5 / 3)
    assert [MIXING.of(staleness) for staleness in range(3)] == [0.5, 0.25, 0.5 / 3]


def test_a_tensor_that_was_not_sent_stays_as_it_is(server: AsynchronousServer) -> None:
    server.receive(update(server.model, 4.0, 'a'))
    assert server.checkpoint.tensors['b'] is INITIAL['b']


@pytest.mark.parametrize(('spoil', 'reason'), [
    (lambda sent: replace(sent, round=1), 'it is -1 models old: 0..2 are allowed'),
    (lambda sent: replace(sent, federation='beef'), "belongs to federation 'beef'"),
    (lambda sent: replace(sent, area='no/area'), "'no/area' is not a name of an area"),
    (lambda sent: replace(sent, checksum='0' * 64), 'payload has checksum'),
    (lambda sent: replace(sent, windows=0), 'claims 0 windows'),
])
def test_a_bad_update_changes_nothing(
    server: AsynchronousServer, spoil: object, reason: str,
) -> None:
    refusal = server.receive(spoil(update(server.model, 4.0)))  # type: ignore[operator]
    assert refusal is not None
    assert reason in refusal
    assert server.model.round == 0
    assert server.checkpoint.tensors is INITIAL


def test_an_update_that_is_too_old_or_diverged_is_refused(server: AsynchronousServer) -> None:
    first = server.model
    for _ in range(3):
        server.receive(update(server.model, 0.0, 'a'))
    assert 'it is 3 models old' in (server.receive(update(first, 1.0)) or '')
    assert 'are not finite' in (server.receive(update(server.model, np.nan)) or '')
    assert 'its change has norm' in (server.receive(update(server.model, 1e6)) or '')
    assert server.model.round == 3


@pytest.mark.parametrize('wrong', [{'weight': 0.0}, {'weight': 1.5}, {'exponent': -1.0}])
def test_mixing_that_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=f'{next(iter(wrong))} is'):
        Mixing(**wrong)  # type: ignore[arg-type]

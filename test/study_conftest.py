"""Data that take no time: two areas of simulated walkers, the second one without a camera."""

from pathlib import Path

import pytest

from utt_ros.learning.trainer import use_one_thread
from utt_ros.models.settings import ModelSettings
from utt_ros.sessions.bags import write_area, write_session
from utt_ros.sessions.simulate.world import plan, simulate
from utt_ros.study.data import Data, load
from utt_ros.study.train import Recipe

MINI = Path(__file__).parents[2].parent / 'shared/data/realwalk-mini'


@pytest.fixture(scope='session', autouse=True)
def _one_thread() -> None:
    use_one_thread()


@pytest.fixture(scope='session')
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make bags of two areas, three sessions of half a minute in each."""
    folder = tmp_path_factory.mktemp('sessions')
    for planned in plan(2, 1.5, 1, ['area1']):
        area = planned.area.settings
        write_area(area, folder / area.area)
        write_session(simulate(planned), area, folder / area.area / planned.name)
    return folder


@pytest.fixture(scope='session')
def data(sessions: Path, tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Load the bags."""
    return load(sessions, tmp_path_factory.mktemp('cache'))


@pytest.fixture
def recipe() -> Recipe:
    """Train a small model for a moment."""
    return Recipe(model=ModelSettings(width=8, heads=2, feedforward=8), rounds=2, local_steps=2,
                  batch=8)


@pytest.fixture
def mini() -> Path:
    """Find the small recordings, where they are."""
    if not MINI.is_dir():
        pytest.skip('there are no recordings beside the checkout')
    return MINI

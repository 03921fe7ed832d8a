"""Which areas the demonstration runs, and which of their sessions they learn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from utt_ros.errors import SessionError
from utt_ros.sessions.session_bags import find_sessions, read_area, read_split, write_area
from utt_ros.settings import AREA_FILE, AreaSettings
from utt_ros.types import MODALITIES


@dataclass(frozen=True, slots=True)
class Scene:
    """One area of the demonstration."""

    settings: AreaSettings
    file: Path  # its parameter file
    train: tuple[Path, ...]  # bags it learns from, live
    test: tuple[Path, ...]  # bags it is scored on

    @property
    def name(self) -> str:
        """Name of the area."""
        return self.settings.area


def find_scenes(sessions: Path, out: Path) -> list[Scene]:
    """Every area in a folder of sessions; where all have a camera, the last one does without.

    Whole sessions are held out: those that were recorded as 'test', else the last of each area.
    The files of the areas are written to `out`. Raises SessionError when an area has too few
    sessions.
    """
    scenes = []
    for name, bags in find_sessions(sessions).items():
        settings = read_area(sessions / name)
        test = tuple(bag for bag in bags if read_split(bag) == 'test') or tuple(bags[-1:])
        train = tuple(bag for bag in bags if bag not in test)
        if not train:
            raise SessionError(
                f'area {name!r} has {len(bags)} session: it takes one to learn from and one to be '
                'scored on')
        scenes.append(Scene(settings, out / name / AREA_FILE, train, test))
    return _one_without_camera(scenes)


def _one_without_camera(scenes: Sequence[Scene]) -> list[Scene]:
    """The claim to show is that an area without a camera learns from the others."""
    found = list(scenes)
    if len(found) > 1 and all('camera' in scene.settings.modalities for scene in found):
        blind = tuple(name for name in MODALITIES if name != 'camera')
        found[-1] = replace(found[-1], settings=replace(found[-1].settings, modalities=blind))
    for scene in found:
        write_area(scene.settings, scene.file.parent)
    return found

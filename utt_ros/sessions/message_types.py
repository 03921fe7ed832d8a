"""The message definitions of bags: those of ROS 2 Jazzy and our own, read from `msg/*.msg`."""

from functools import cache
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from utt_ros.errors import SessionError

PACKAGE = 'utt_ros'


@cache
def typestore() -> Typestore:
    """All message types that a bag of ours may hold.

    Raises SessionError when the .msg files cannot be found.
    """
    store = get_typestore(Stores.ROS2_JAZZY)
    types = {}
    for path in sorted(message_folder().glob('*.msg')):
        text = path.read_text(encoding='utf-8')
        types.update(get_types_from_msg(text, f'{PACKAGE}/msg/{path.stem}'))
    store.register(types)
    return store


def message_folder() -> Path:
    """Where the .msg files are: beside the package in a checkout, in `share` when installed."""
    here = Path(__file__)
    parents = [*here.parents, *here.resolve().parents]
    places = [parent / place for parent in parents for place in ('msg', f'share/{PACKAGE}/msg')]
    for folder in places:
        if (folder / 'Tracks.msg').is_file():
            return folder
    raise SessionError(f'no Tracks.msg in msg/ or share/{PACKAGE}/msg above {here.parent}')

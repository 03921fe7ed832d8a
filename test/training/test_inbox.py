"""What is handed to the training thread."""

import threading
from collections.abc import Callable

from utt_ros.federation.types import GlobalModel
from utt_ros.settings import AreaSettings
from utt_ros.training.inbox import MAX_WINDOWS, Inbox
from utt_ros.types import Windows

Walk = Callable[..., Windows]


def model(round_: int) -> GlobalModel:
    return GlobalModel('f', round_, '{}', '', '', b'')


def test_only_the_newest_model_waits_and_windows_keep_their_order(walk: Walk) -> None:
    inbox, first, second = Inbox(), walk(AreaSettings(), 1), walk(AreaSettings(), 2)
    for round_ in (1, 2):
        inbox.put_model(model(round_))
    inbox.put_windows(first)
    inbox.put_windows(second)
    taken, windows = inbox.take(0.0)
    assert taken == model(2)
    assert [len(item) for item in windows] == [1, 2]
    assert inbox.take(0.0) == (None, [])


def test_windows_that_nobody_takes_push_out_the_oldest(walk: Walk) -> None:
    inbox, windows = Inbox(), walk(AreaSettings(), 1)
    for _ in range(MAX_WINDOWS + 3):
        inbox.put_windows(windows)
    assert inbox.dropped == 3
    assert len(inbox.take(0.0)[1]) == MAX_WINDOWS


def test_taking_waits_until_something_arrives() -> None:
    inbox = Inbox()
    threading.Timer(0.05, lambda: inbox.put_model(model(7))).start()
    assert inbox.take(10.0)[0] == model(7)

"""Cameras that fail on purpose."""

from dataclasses import replace

import numpy as np

from utt_ros.evaluation.ground_truth import Walk
from utt_ros.evaluation.outages import blind_walk, outage_mask, overtaken


def test_an_outage_begins_every_so_often_and_lasts_as_asked() -> None:
    off = outage_mask(np.arange(400, dtype=np.int64) * 100_000_000, 5.0)
    begin, end = np.flatnonzero(np.diff(off.astype(int)) > 0), np.flatnonzero(
        np.diff(off.astype(int)) < 0)
    assert (begin + 1).tolist() == [100, 250]
    assert (end - begin == 50).all()
    assert outage_mask(np.arange(5, dtype=np.int64), np.inf).all()


def test_a_blind_walk_has_no_boxes_in_outages(walk: Walk) -> None:
    off = outage_mask(walk.stamps_ns, 5.0)
    blinded = blind_walk(walk, off)
    assert not (blinded.camera_mask & off).any()
    assert (blinded.camera_mask == ~off).all()


def test_only_those_who_were_in_view_are_overtaken_by_an_outage(walk: Walk) -> None:
    off = outage_mask(walk.stamps_ns, 5.0)  # from tick 100 and from tick 250 on
    unseen = walk.camera_mask & ((np.arange(300) < 60) | (np.arange(300) >= 150))
    found = overtaken(replace(walk, camera_mask=unseen & ~off), off)
    assert not found[100:150].any()
    assert found[250:300].all()
    assert not (found & ~off).any()

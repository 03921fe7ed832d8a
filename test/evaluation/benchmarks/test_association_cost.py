from utt_ros.evaluation.benchmarks.association_cost import CROWD_SIZE, _ticks, match_cost
from utt_ros.settings import WindowSettings


def test_every_tick_has_a_box_and_samples_of_everybody() -> None:
    tracks, phones = next(_ticks(WindowSettings()))
    assert tracks.boxes.shape == (CROWD_SIZE, 5)
    assert phones.imu.shape == (CROWD_SIZE, WindowSettings().imu_rows, 9)
    assert phones.ftm_mask.all()


def test_a_match_takes_time_and_a_share_of_a_core() -> None:
    match_ms, share = match_cost('fused', None, WindowSettings())
    assert match_ms > 0.1
    assert 0.0 < share < 1.0

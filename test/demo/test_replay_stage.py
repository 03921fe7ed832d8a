from utt_ros.demo.replay_stage import replay_rate


def test_few_areas_are_replayed_at_recorded_speed():
    assert replay_rate(3, cores=2) == 1.0


def test_many_areas_on_few_cores_are_replayed_slower():
    assert replay_rate(10, cores=2) == 0.5
    assert replay_rate(20, cores=2) == 0.25

from pathlib import Path

import torch

from utt_ros.evaluation.benchmarks.reference_model import read_twin, write_model


def test_every_pipeline_gets_the_same_weights(tmp_path: Path) -> None:
    write_model(tmp_path)
    assert (tmp_path / 'model.onnx').stat().st_size > 0
    first, second = (read_twin(tmp_path / 'config.json').state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)

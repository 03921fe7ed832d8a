import numpy as np

from utt_ros.evaluation.association.scorer_training import train_scorer


def meetings(count, rng):
    """Of three numbers per pair only the second tells the owner; the third is never known."""
    pairs = []
    for _ in range(count):
        owners = rng.permutation(4)[:2]
        evidence = rng.standard_normal((2, 4, 3)).astype(np.float32)
        evidence[..., 1] += 5.0
        evidence[[0, 1], owners, 1] -= 5.0
        evidence[..., 2] = np.nan
        pairs.append((evidence, owners))
    return pairs


def test_the_scorer_learns_which_evidence_tells() -> None:
    rng = np.random.default_rng(0)
    scorer = train_scorer(meetings(200, rng), meetings(50, rng), seed=0)
    judged = meetings(100, rng)
    right = [np.array_equal(scorer(evidence).argmax(1), owners) for evidence, owners in judged]
    assert np.mean(right) > 0.9


def test_evidence_that_is_not_known_counts_as_usual() -> None:
    rng = np.random.default_rng(0)
    scorer = train_scorer(meetings(20, rng), meetings(5, rng), seed=0)
    assert np.isfinite(scorer(np.full((1, 3), np.nan, np.float32))).all()

"""How an area learns."""

from dataclasses import dataclass

from utt_ros.errors import SettingsError
from utt_ros.settings import check, setting

TERMS = ('transfer', 'merge', 'split', 'motion')


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """When an area trains, and where it keeps what it needs to go on after a restart."""

    federated: bool = setting(True, 'train what an aggregator sends; otherwise alone')
    learn: bool = setting(True, 'false: models are deployed and not trained')
    local_steps: int = setting(40, 'training steps in a round', low=1, high=100_000)
    min_windows: int = setting(200, 'windows before the first training', low=1, high=1_000_000)
    window_stride: int = setting(5, 'ticks between windows of one subject', low=1, high=512)
    max_model_bytes: int = setting(64 * 2**20, 'largest payload of a model [bytes]', low=1)
    state_dir: str = setting('~/.ros/utt_ros/trainer', 'folder of the last global model')

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """Choices of one area; areas of a federation may differ in them."""

    terms: tuple[str, ...] = setting(TERMS, 'terms of the loss; one alone for a specific model')
    batch: int = setting(64, 'windows per training step', low=1, high=4096)
    learning_rate: float = setting(3e-3, 'step size of AdamW', low=0.0, high=1.0)
    max_grad_norm: float = setting(
        1.0, 'norm that gradients are clipped to', low=1e-6, former='largest_gradient')
    capacity: int = setting(8192, 'training windows that are kept', low=1, high=1_000_000)
    held_out: int = setting(1024, 'held-out windows that are kept', low=1, high=1_000_000)
    holdout_block: float = setting(
        30.0, 'length of the blocks of time that are held out [s]', low=0.1, high=86400.0)
    holdout_every: int = setting(4, 'every so manyth block is held out', low=2, high=1000)
    min_association: float = setting(
        0.9, 'boxes that are less certain to be of their subject are not learned from',
        low=0.0, high=1.0, former='least_association')
    seed: int = setting(0, 'seed of batches and of simulated mishaps', low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        check(self)
        wrong = sorted(set(self.terms) - set(TERMS))
        if wrong or not self.terms:
            raise SettingsError(f'terms are {list(self.terms)}: one or more of {list(TERMS)}')

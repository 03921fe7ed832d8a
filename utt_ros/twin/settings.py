"""Settings of a twin: how people, compasses and rangings are expected to behave."""

from dataclasses import dataclass

from utt_ros.settings import check, setting


@dataclass(frozen=True, slots=True)
class ParticleFilterSettings:
    """Defaults were chosen on recorded walks; docs/belief.md says how and how much they matter."""

    particles: int = setting(600, 'particles per subject', low=50, high=10_000)
    max_subjects: int = setting(
        64, 'subjects at a time; further ones get no position', low=1, high=1000)
    max_gap: float = setting(
        2.0, 'a subject that was away for longer starts anew [s]', low=0.1, high=60.0)
    walk_std: float = setting(
        0.9, 'velocity of somebody of whom nothing is known, standard deviation [m/s]',
        low=0.1, high=5.0)
    walk_tau: float = setting(3.0, 'such a velocity lasts for about [s]', low=0.1, high=60.0)
    velocity_std_floor: float = setting(
        0.45, 'learned velocities are not trusted more than this [m/s]', low=0.0, high=5.0)
    velocity_tau: float = setting(
        1.5, 'an error of a learned velocity lasts for about [s]', low=0.1, high=60.0)
    heading_std: float = setting(
        0.3, 'error of compass headings, standard deviation [rad]', low=0.0, high=3.0)
    heading_tau: float = setting(
        20.0, 'an error of a compass heading lasts for about [s]', low=0.1, high=3600.0)
    range_bias_std: float = setting(
        1.4, 'slow error of FTM ranges, standard deviation [m]', low=0.0, high=50.0)
    range_bias_tau: float = setting(
        4.0, 'a slow error of FTM ranges lasts for about [s]', low=0.1, high=600.0)
    range_std: float = setting(
        1.0, 'error of single FTM ranges, scale of a Student distribution [m]',
        low=0.01, high=50.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class TwinSettings:
    """What a twin must know beside its belief, its area and its windows."""

    lag: float = setting(
        0.02, "age of a tick's newest IMU row; that of the synchronizer [s]", low=0.0, high=1.0)
    autostart: bool = setting(True, 'become active at once, without being told to')

    def __post_init__(self) -> None:
        check(self)

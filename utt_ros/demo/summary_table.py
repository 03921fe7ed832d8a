"""The demonstration's table: what the summary says, for a person."""

from collections.abc import Mapping, Sequence
from typing import Any

SITUATIONS = {'camera': 'camera sees', 'no_camera': 'no camera > 0.5 s'}
LATENCIES = {'latency_ms': 'test', 'latency_training_ms': 'while training'}


def table(summary: Mapping[str, Any]) -> str:
    """One block per area, from the same summary that is written as JSON."""
    head = (f'rounds {summary["rounds"]}   bytes per round {summary["bytes_per_round"]:,}   '
            f'wall time {summary["wall_s"]:.0f} s')
    lines = [head]
    for name, area in summary['areas'].items():
        lines += ['', *_area(name, area)]
    return '\n'.join(lines)


def _area(name: str, area: Mapping[str, Any]) -> list[str]:
    head = (f'{name}: {"+".join(area["modalities"])}   windows {area["windows"]}   '
            f'rounds {area["rounds"]}')
    operations = [[operation, _number(found['first']), _number(found['last'])]
                  for operation, found in area['nmse'].items()]
    latencies = [f'  stamp to position, {label}: '
                 f'p50 {found["p50"]:.1f} ms, p99 {found["p99"]:.1f} ms'
                 for key, label in LATENCIES.items() if (found := area.get(key))]
    return [
        head,
        *aligned(['operation', 'NMSE_var first', 'last'], operations),
        *aligned(
            ['position error [m]', 'median', 'p90', 'in 90 % ellipse', 'untrained median', 'p90'],
            [_position(label, area['position_error_m'][key], area['untrained_m'][key])
             for key, label in SITUATIONS.items() if area['position_error_m'][key]]),
        *latencies]


def _position(
    label: str, found: Mapping[str, float], untrained: Mapping[str, float] | None,
) -> list[str]:
    before = untrained or {}
    return [label, *(_number(found[key]) for key in ('median', 'p90', 'covered_90')),
            *(_number(before.get(key)) for key in ('median', 'p90'))]


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'


def aligned(
    head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1,
) -> list[str]:
    """Columns as wide as their widest cell, the first `left` flush left, the others right."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [cell.ljust(width) if column < left else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths, strict=True))]
        lines.append('  ' + '  '.join(cells).rstrip())
    return lines

"""The demonstration's table and summary."""

from collections.abc import Mapping, Sequence
from typing import Any


def table(summary: Mapping[str, Any]) -> str:
    """A table a person reads: one block per area, from the same summary that is written as JSON."""
    lines = [
        f'rounds {summary["rounds"]}   bytes per round {summary["bytes_per_round"]:,}   '
        f'wall time {summary["wall_s"]:.0f} s'
    ]
    for name, area in summary['areas'].items():
        lines.append('')
        lines.append(
            f'{name}: {"+".join(area["modalities"])}   windows {area["windows"]}   rounds {area["rounds"]}'
        )
        lines += _aligned(
            ['operation', 'NMSE_var first', 'last'],
            [[name, _number(row['first']), _number(row['last'])] for name, row in area['nmse'].items()],
        )
        lines += _aligned(
            ['position error [m]', 'median', 'p90', 'in 90 % ellipse', 'untrained median', 'p90'],
            [
                [
                    label,
                    *(_number(found.get(key)) for key in ('median', 'p90', 'covered_90')),
                    *(_number((area['untrained_m'].get(key) or {}).get(q)) for q in ('median', 'p90')),
                ]
                for key, label in (('camera', 'camera sees'), ('no_camera', 'no camera > 0.5 s'))
                if (found := area['position_error_m'].get(key))
            ],
        )
        for key, label in (('latency_ms', 'live, test'), ('latency_training_ms', 'live, while training')):
            if latency := area.get(key):
                lines.append(
                    f'  stamp to position, {label}: p50 {latency["p50"]:.1f} ms, p99 {latency["p99"]:.1f} ms'
                )
    return '\n'.join(lines)


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest cell, the first to the left, the others to the right."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [
        '  ' + '  '.join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]

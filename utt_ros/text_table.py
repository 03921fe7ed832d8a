"""Plain text tables for a terminal."""

from collections.abc import Sequence


def align_columns(
    head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, indent: str = '  ',
) -> list[str]:
    """Pad cells to the width of their column: the first `left` columns flush left, others right.

    Return the lines, the head first; no line when there are no rows.
    """
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = []
    for row in (head, *rows):
        cells = [cell.ljust(width) if column < left else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths, strict=True))]
        lines.append(indent + '  '.join(cells).rstrip())
    return lines

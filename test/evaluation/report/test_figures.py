from utt_ros.evaluation.report.figures import draw_bars


def test_bars_are_drawn_with_missing_series_and_without_panels() -> None:
    panels = {'merge': (['V', 'W'], {'utt': [(1.0, 0.1), (2.0, 0.0)]}),
              'split': (['V'], {'direct': [(float('nan'), 0.0)]})}
    assert draw_bars(panels, 'NMSE').startswith(b'\x89PNG')
    assert draw_bars({}, '').startswith(b'\x89PNG')

from utt_ros.text_table import align_columns


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert align_columns(['name', 'count'], [['a', '7'], ['longer', '1234567']]) == [
        '  name      count', '  a             7', '  longer  1234567']


def test_table_without_rows_has_no_head() -> None:
    assert align_columns(['name'], []) == []


def test_left_columns_and_indent_are_chosen() -> None:
    assert align_columns(['a', 'bb'], [['1', '2']], left=2, indent='') == ['a  bb', '1  2']

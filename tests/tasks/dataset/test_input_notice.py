"""The notice of inputs in words; test_states.py has what finds them."""

from tasks.dataset.input_notice import InputNotice


def test_notice_counts_and_names_the_first_three() -> None:
    notice = InputNotice(new=("RP/a",), removed=("RP/b", "RP/c", "RP/d", "RP/e"))
    assert notice.sentence == "inputs: 1 new (RP/a); 4 removed (RP/b, RP/c, RP/d, ...)"


def test_nothing_new_is_no_notice() -> None:
    assert InputNotice().sentence == ""

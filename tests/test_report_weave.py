import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.edits import Edit, replay
from hongxing_crawler.report.weave import Span, weave

RULES = ["spam.wheel", "restore.script", "spaces.fold"]


@st.composite
def edited_texts(draw):
    """A text and up to four steps of edits that fit it."""
    received = text = draw(st.text("会议召开|。 ", max_size=30))
    steps = []
    for _ in range(draw(st.integers(0, 4))):
        cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
        edits = tuple(
            Edit(
                start,
                end,
                text[start:end],
                draw(st.sampled_from(["", "x", "议。"])),
                draw(st.sampled_from(RULES)),
            )
            for start, end in zip(cuts[::2], cuts[1::2], strict=False)
        )
        steps.append(edits)
        text = replay(text, [edits])
    return received, steps


@given(edited_texts())
def test_both_texts_can_be_read_from_the_spans(case):
    received, steps = case
    spans = weave(received, steps)

    assert "".join(span.text for span in spans if not span.inserted_by) == received
    assert "".join(span.text for span in spans if not span.removed_by) == replay(received, steps)


def test_neighbours_of_one_rule_are_shown_together():
    edits = [Edit(0, 1, "會", "会", "restore.script"), Edit(1, 2, "議", "议", "restore.script")]

    assert weave("會議召開", [edits]) == [
        Span("會議", removed_by="restore.script"),
        Span("会议", inserted_by="restore.script"),
        Span("召開"),
    ]


def test_what_one_step_inserts_and_another_removes_is_still_shown():
    spans = weave(
        "甲", [[Edit(1, 1, "", "乙", "first.rule")], [Edit(0, 2, "甲乙", "", "second.rule")]]
    )

    assert spans == [
        Span("甲", removed_by="second.rule"),
        Span("乙", removed_by="second.rule", inserted_by="first.rule"),
    ]


@pytest.mark.parametrize("edit", [Edit(0, 1, "乙", "", "a.b"), Edit(0, 2, "甲甲", "", "a.b")])
def test_an_edit_that_does_not_fit_is_refused(edit):
    with pytest.raises(ValueError, match=r"edit a\.b at 0"):
        weave("甲", [[edit]])

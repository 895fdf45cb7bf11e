import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.report.charts import HEIGHT, WIDTH, bar_chart
from hongxing_crawler.report.diffs import diff_texts


@given(st.lists(st.tuples(st.text(max_size=5), st.floats(0, 1e9)), max_size=80))
def test_everything_lies_within_the_drawing(points):
    chart = bar_chart("title", points)

    assert len(chart.bars) == len(points)
    for bar in chart.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.2
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
        assert bar.width > 0


@pytest.mark.parametrize(
    ("largest", "top"),
    [(0, "1"), (1, "1"), (3, "5"), (7, "10"), (41, "50"), (1234, "2,000"), (0.03, "0.05")],
)
def test_the_axis_ends_at_a_round_number(largest, top):
    assert bar_chart("title", [("a", largest)]).ticks[-1].text == top


def test_labels_are_thinned_out():
    chart = bar_chart("title", [(str(day), day) for day in range(60)])

    assert len(chart.labels) <= 7
    assert chart.bars[59].tip == "59: 59"


@given(
    st.lists(st.sampled_from(["会议召开。", "\n", "20日", "闭幕"])),
    st.lists(st.sampled_from(["会议召开。", "\n", "21日"])),
)
def test_a_diff_shows_every_change(old, new):
    old, new = "".join(old)[:80], "".join(new)[:80]
    spans = diff_texts(old, new)

    assert bool(spans) == (old != new)
    if spans:
        assert "".join(span.text for span in spans if not span.inserted_by) == old
        assert "".join(span.text for span in spans if not span.removed_by) == new


def test_long_passages_that_stayed_are_shortened():
    same = "会议召开。" * 100
    spans = diff_texts(f"甲{same}乙", f"甲{same}丙")

    assert [span.text for span in spans] == [f" … {same[-40:]}", "乙", "丙"]

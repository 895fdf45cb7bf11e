"""Restoring damaged text: the seed, a table of cases, and damage made by the forward model."""

import hashlib
import json
import re
import unicodedata
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mirror_kit import MirrorKit

from hongxing_crawler.core.edits import apply_edits
from hongxing_crawler.core.restore import learn, restore
from hongxing_crawler.core.restore.explain import explain
from hongxing_crawler.core.restore.guesses import Guess, unfold
from hongxing_crawler.core.restore.language import PairModel
from hongxing_crawler.core.restore.model import NOISE_MARKS, Kit, corrupt, fold
from hongxing_crawler.core.restore.script import learn_script
from hongxing_crawler.core.restore.search import MAX_RUNS, RunSearch
from hongxing_crawler.core.restore.tables import script_rows, to_simplified
from hongxing_crawler.core.restore.words import WordModel

CASES = Path(__file__).parent / "cases"
SEED = Path(__file__).parents[1] / "data" / "demo_site" / "seed"


def _params(name, expect="pass"):
    cases = json.loads((CASES / name).read_text("utf-8"))
    return [
        pytest.param(case, id=case["label"])
        for case in cases
        if case.get("expect", "pass") == expect
    ]


@pytest.fixture(scope="module")
def seed():
    return (SEED / "captured.txt").read_text("utf-8")


@pytest.fixture(scope="module")
def gold():
    return json.loads((SEED / "gold.json").read_text("utf-8"))


class TestSeed:
    def test_every_paragraph_is_exact(self, seed, gold):
        restored = restore(seed).text.split("\n")

        assert [text for text in gold["body"] if text not in restored] == []

    def test_title_captions_and_footer_are_exact(self, seed, gold):
        restored = restore(seed).text.split("\n")
        wanted = [gold["title"], *gold["footer_removed"]]
        wanted += [image["caption"] for image in gold["images"]]

        assert [text for text in wanted if text not in restored] == []

    def test_the_repair_is_proved(self, seed):
        assert restore(seed).verdict == "proved"

    def test_edits_replay(self, seed):
        restored = restore(seed)

        assert apply_edits(seed, restored.edits) == restored.text

    def test_the_link_wheel_stays(self, seed):
        wheel = seed[seed.index("巴彦淖尔市") :]

        assert restore(seed).text.endswith(wheel)

    def test_places_count_in_the_repaired_text(self, seed):
        restored = restore(seed)

        assert [restored.text[p.start : p.end] for p in restored.places] == [
            place.repaired for place in restored.places
        ]

    def test_a_second_pass_is_idle(self, seed):
        once = restore(seed).text

        assert restore(once).edits == ()


@pytest.mark.parametrize("case", _params("restore.json"))
def test_case(case):
    damage = learn([*case["page"], case["received"]])
    restored = restore(case["received"], damage)

    assert (restored.text, restored.verdict) == (case["expected"], case["verdict"])


@pytest.mark.parametrize("case", _params("restore_encodings.json"))
def test_encoding(case):
    repaired = restore(case["received"])

    assert (repaired.text, repaired.verdict) == (case["expected"], case["verdict"])


MISREADINGS = [("utf-8", "latin-1"), ("gb18030", "latin-1"), ("utf-8", "gb18030")]


@given(
    st.lists(
        st.sampled_from(
            ["会议", "长沙", "，", "党员", "工作。", "“好”", " A 5.2%", "\n", "\u3000", "（一）"]
        )
    ),
    st.sampled_from(MISREADINGS),
    st.integers(1, 2),
)
@settings(max_examples=150, deadline=None)
def test_a_misreading_is_undone_or_its_text_stays(pieces, charsets, rounds):
    true = received = "".join(pieces)
    right, wrong = charsets
    for _ in range(rounds):
        received = received.encode(right).decode(wrong, "replace")

    restored = restore(received)

    assert restored.text in {true, received} or restored.verdict != "clean"
    assert apply_edits(received, restored.edits) == restored.text


@given(st.text("会议长沙，。：！“”（）　éüñß·°×ABC &;nbsp\xa0", max_size=40))
def test_honest_text_is_not_read_again(text):
    assert restore(text).text == text or "&nbsp;" in text


SCRIPT = {
    ord(simple): form
    for form, simple, kind in script_rows()
    if kind == "first" and simple not in "干后里面游范斗于为众余占涌恒群"
} | str.maketrans("为众", "為眾")
GLOSSES = {"業": "yè", "產": "chǎn", "發": "fā", "會": "huì", "經": "jīng", "濟": "jì", "個": "gè"}
GLOSSES |= {"強": "qiáng", "簡": "jiǎn", "獎": "jiǎng", "絡": "luò ", "問": "wèn", "動": "dòng"}
SENTENCES = [
    "会议强调，要发展农业和产业。",
    "考核奖惩兑现，全县干部积极工作。",
    "这个问题集中排查、认真整治！",
    "经济发展了多少？群众说：“很好。”",
    "网络安全工作由两个单位负责；2020年完成57.1%的任务。",
    "业务部门动员党员8996名，开展活动。",
]


@st.composite
def pages(draw):
    chosen = draw(st.lists(st.sampled_from(SENTENCES), min_size=2, max_size=6))
    kit = Kit(GLOSSES, NOISE_MARKS if draw(st.booleans()) else "", SCRIPT)
    noise = draw(st.text("\x05\x06\x07\x08", min_size=1, max_size=5))
    text = "会议业务发展经济。\n" + "".join(chosen)
    received = corrupt(text, kit, lambda: noise)
    return (fold(text), fold(received)) if draw(st.booleans()) else (text, received)


@given(pages())
@settings(max_examples=60, deadline=None)
def test_what_the_kit_did_is_undone_or_flagged(page):
    true, received = page
    restored = restore(received)

    assert restored.text == true or restored.verdict in {"guessed", "lossy"}


@given(
    st.lists(st.sampled_from(SENTENCES), min_size=2, max_size=6),
    st.permutations(NOISE_MARKS),
    st.integers(0, len(NOISE_MARKS)),
    st.permutations(sorted(GLOSSES)),
    st.fixed_dictionaries(
        {
            "is_noise_first": st.booleans(),
            "is_one_pass": st.booleans(),
            "shows_open_pairs": st.booleans(),
            "is_captured": st.booleans(),
            "fold": st.sampled_from(["none", "compatible", "ascii"]),
        }
    ),
)
@settings(max_examples=80, deadline=None)
def test_no_order_of_tables_or_decoder_is_taken_for_granted(
    sentences, marks, count, glossed, habits
):
    glosses = {char: f"({GLOSSES[char]})" for char in glossed}
    kit = MirrorKit(glosses, "".join(marks[:count]), **habits)
    text = "会议业务发展经济。\n" + "".join(sentences)

    restored = restore(kit.damage(text))

    assert restored.text == kit.view(text) or restored.verdict in {"guessed", "lossy"}


@given(pages())
@settings(max_examples=30, deadline=None)
def test_edits_replay_on_damaged_pages(page):
    _, received = page
    restored = restore(received)

    assert apply_edits(received, restored.edits) == restored.text


PIECES = [
    "業(yè)",
    "?",
    "jiǎn)",
    "(",
    ")",
    "\ud800",
    "\x05",
    "，",
    "題",
    "栴}",
    "\ufffd",
    "a",
    "\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=100, deadline=None)
def test_any_input_gives_edits_that_replay(received):
    restored = restore(received)

    assert apply_edits(received, restored.edits) == restored.text


@given(st.lists(st.sampled_from([*PIECES, "著", "「國」", "ä¼šè®®", "锟斤拷", "&ldquo;会"])))
@settings(max_examples=100, deadline=None)
def test_places_of_any_input_hold_what_they_say(pieces):
    restored = restore("".join(pieces))

    assert [restored.text[place.start : place.end] for place in restored.places] == [
        place.repaired for place in restored.places
    ]


class TestModel:
    def test_a_gloss_cuts_the_next_character(self):
        kit = Kit({"簡": "jiǎn"}, "", SCRIPT)

        assert corrupt("涉恶问题", kit) == "涉惡?jiǎn)栴}"

    def test_noise_cuts_a_mark_and_a_gloss_ends_the_run(self):
        kit = Kit({"獎": "jiǎng"}, NOISE_MARKS, SCRIPT)

        assert fold(corrupt("正气。考核奖惩", kit)) == "正氣??己霜?jiǎng)懲"

    def test_a_byte_at_the_cut_is_lost(self):
        kit = Kit({"簡": "jiǎn"}, "", SCRIPT)

        assert corrupt("惡問", kit) == "惡?jiǎn)?"


HOSTILE = [
    "業(yè)?jiǎn)",
    "業(yè)經(jīng)??，",
    "發(fā)展，?：",
    "業(yè)經(jīng)濟(jì)?",
    "業(yè)?\n",
    "業(yè)\ufffd",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_is_searched_within_a_budget(piece, monkeypatch):
    runs = []
    find = RunSearch.find_guesses
    monkeypatch.setattr(
        RunSearch,
        "find_guesses",
        lambda self, start, context: runs.append(start) or find(self, start, context),
    )

    restored = restore(piece * (60_000 // len(piece)))

    assert 0 < len(runs) <= MAX_RUNS
    assert restored.verdict in {"guessed", "lossy"}


@pytest.mark.parametrize(
    "text", ["?" * 1000, "業(yè)" * 2 + "?" * 5000, "業(yè)經(jīng)濟(jì)" + "\ufffd?" * 3000]
)
def test_more_damage_than_is_searched_is_flagged(text):
    restored = restore(text)

    assert restored.verdict in {"guessed", "lossy"} or restored.text == text


def test_hostile_runs_are_bounded_and_flagged():
    restored = restore("業(yè)經(jīng)??，" * 1000)

    assert restored.verdict in {"guessed", "lossy"}


def test_no_learning_without_a_kit_page():
    assert learn(["?jiǎn)" * 1000, "(" * 1000, "?" * 1000]) is None


def test_a_script_table_is_one_to_one():
    table = learn_script("發展後髮")

    assert "發展后髮".translate(table) == "发展后髮"


def test_no_form_has_two_simplified_characters():
    assert len(to_simplified()) == len(script_rows())


def test_explanation_shows_the_bytes(seed):
    shown = explain(seed, restore(seed))

    assert "proved at" in shown
    assert "= A1A3 BFBC BACB BDB1" in shown


def test_explanation_shows_what_the_kit_inserted(seed):
    shown = explain(seed, restore(seed))

    assert "A1 [noise] A3 BF BC BA CB AA 84 [(jiǎng)]" in shown
    assert "90 BA 86 [(jiǎn)] 96 EE 7D" in shown


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_an_explanation_keeps_to_its_width(seed, width):
    shown = explain(seed, restore(seed), width).split("\n")
    columns = [line for line in shown if line.startswith("  ") and "  received" not in line]

    assert all(
        sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in line) <= width
        for line in columns
        if " | " in line and not line.startswith(("  repaired", "  made as", "  or "))
    )


def test_columns_of_an_explanation_hold_the_texts(seed):
    restored = restore(seed)
    rows = [
        line[2:].split(" | ") for line in explain(seed, restored, 90).split("\n") if "|" in line
    ]
    left = "".join(row[0].rstrip() for row in rows[:1])

    assert seed.startswith(left)
    assert restored.text.startswith(rows[0][1])


def test_explanation_of_noise_shows_control_pictures():
    received = "發(fā)展經(jīng)濟(jì)\x05\x07，"
    shown = explain(received, restore(received))

    assert "\u2405\u2407" in shown
    assert unicodedata.category("\u2405") == "So"


@pytest.mark.parametrize("name", ["pairs", "readings", "script", "words"])
def test_a_table_says_where_it_is_from_and_is_whole(name):
    path = resources.files("hongxing_crawler.core.restore").joinpath(f"{name}.tsv")
    source, checksum, rows = path.read_text("utf-8").split("\n", 2)

    assert re.search(r"opencc \d.* \(Apache-2.0\), pypinyin \d.* \(MIT\)", source)
    assert checksum.endswith(hashlib.sha256(rows.encode()).hexdigest())


TEXTS = st.text("发展经济业和的，。：“”2是简问题可", max_size=12)


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_texts_weighed_together_weigh_the_same(texts):
    model = WordModel("发展经济，是问题")

    assert model.score_all(texts) == pytest.approx([model.score(text) for text in texts])


@given(st.text("发展经济业的，。“A1", min_size=1, max_size=1), TEXTS)
def test_characters_weighed_together_weigh_the_same(before, chars):
    model = PairModel("发展经济，是问题")

    assert model.score_all(before, chars) == [model.score(before, char) for char in chars]


def test_guesses_with_one_future_share_it():
    start = Guess(-2.0, 1, 0, "甲", 0)
    worse = start._replace(score=-3.0, out="乙", lost_count=1)
    led = start._replace(rivals=((start, worse),), score=-5.0, out="甲丙丁", pos=3)

    found = unfold([led], 9)

    assert [(guess.score, guess.out, guess.lost_count) for guess in found] == [
        (-5.0, "甲丙丁", 0),
        (-6.0, "乙丙丁", 1),
    ]


def test_no_more_readings_are_unfolded_than_asked_for():
    led = guess = Guess(0.0, 1, 0, "甲", 0)
    for number in range(30):
        other = guess._replace(score=-1.0 - number)
        led = led._replace(rivals=(*led.rivals, (guess, other)))

    assert len(unfold([led] * 5, 48)) == 48


@pytest.mark.parametrize(
    ("likelier", "other"),
    [("。”", "。、"), ("’”", "↓”"), ("”！", "。！"), ("！“", "！，"), ("）；", "）《")],
)
def test_marks_follow_each_other_as_in_print(likelier, other):
    model = PairModel()

    assert model.score(*likelier) > model.score(*other)

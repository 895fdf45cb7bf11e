"""Damage clean paragraphs of real pages, restore them, and count what came back.

Usage::

    python bench/restore.py FOLDER [--pages 100] [--show 5]

``FOLDER`` holds ``manifest.jsonl``: one JSON object a line with ``lang``, ``gold.title`` and
``gold.body`` (a list of paragraphs), and ``html/*.html.gz``. The damage is made by a second,
byte-for-byte model that shares no code with the package: it replaces one character of the table
after the other over the whole text, as the kits do.
"""

from __future__ import annotations

import argparse
import codecs
import gzip
import json
import random
import re
import time
import unicodedata
from collections import Counter
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import opencc
from pypinyin import Style, pinyin

from hongxing_crawler.core.restore import learn, restore

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = ("?jiǎn)", "業(yè)?jiǎn)", "發(fā)展，?：", "業(yè)經(jīng)??，", "業(yè)?\n", "(yè", "?")
MARKS = [mark.encode("gbk") for mark in "，。、？！；："]
LEFT_ALONE = "里涌恒干群范余后斗于游占面锺"  # 锺 and 钟 would both become 鍾
NOISE = (b"\x05", b"\x06", b"\x07", b"\x08")


def script_table() -> dict[int, str]:
    """One to one, Taiwan's forms, some characters left alone."""
    convert = opencc.OpenCC("s2tw").convert
    table: dict[int, str] = {}
    for code in range(0x4E00, 0x9FA6):
        char = chr(code)
        form = convert(char)
        is_common = char not in LEFT_ALONE and char.encode("gb2312", "ignore")
        if form != char and len(form) == 1 and is_common and gbk(form):
            table[code] = form
    return table | str.maketrans("签闲", "簽閑")


def gbk(char: str) -> bytes:
    return char.encode("gbk", "ignore")


def lose(error: UnicodeError) -> tuple[str, int]:
    single = error.object[error.start] in (0x80, 0xFF)
    return "?", min(len(error.object), error.start + (1 if single else 2))


codecs.register_error("bench-lossy", lose)


def gloss_table(
    texts: list[str], count: int, script: dict[int, str], habit: str = "frequent"
) -> dict[str, str]:
    """The most frequent Traditional characters with their usual readings, some with a space.

    Other habits: ``rare`` takes every third character, with any of its readings and other blanks.
    """
    chars = Counter(char for text in texts for char in text.translate(script))
    usual = [char for char, _ in chars.most_common() if is_traditional(char)]
    if habit == "frequent":
        readings = ((char, pinyin(char, style=Style.TONE)[0][0]) for char in usual[:count])
        return {char: reading + " " * (ord(char) % 16 == 0) for char, reading in readings}
    rng = random.Random(count)
    chosen = rng.sample(usual[::3], min(count, len(usual[::3])))
    return {
        char: rng.choice(pinyin(char, style=Style.TONE, heteronym=True)[0])
        + rng.choice(["", "", " ", "  "])
        for char in chosen
    }


def is_traditional(char: str) -> bool:
    data = gbk(char)
    return len(data) == 2 and "\u4e00" <= char <= "\u9fff" and min(data) < 0xA1


def damage(text: str, glosses: dict[str, str], marks: list[bytes], rng: random.Random) -> str:
    """Damage a text in the kit's script."""
    data = text.encode("gbk", "replace")
    for mark in marks:
        first, *rest = data.split(mark)
        data = first + b"".join(
            b"".join(rng.choices(NOISE, k=rng.randint(1, 5))) + mark + part for part in rest
        )
    for char, reading in glosses.items():
        data = data.replace(gbk(char), gbk(char) + b"(" + gbk(reading) + b")")
    return data.decode("gbk", "bench-lossy")


def eaten_count(form: str, glosses: dict[str, str], marks: list[bytes], seed: int) -> int:
    """Characters of ASCII that the decoder ate: no neighbour tells which digit stood there."""
    masked = "".join("\x11" if char <= "\x7f" else char for char in form)
    return masked.count("\x11") - damage(masked, glosses, marks, random.Random(seed)).count("\x11")


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", drop_controls(text))


def read_pages(folder: Path) -> list[dict]:
    rows = (json.loads(line) for line in (folder / "manifest.jsonl").open(encoding="utf-8"))
    return [row for row in rows if row.get("gold", {}).get("body")]


def texts_of(row: dict) -> list[str]:
    return [row["gold"].get("title") or "", *row["gold"]["body"]]


def is_clean(text: str, script: dict[int, str]) -> bool:
    """Whether a text is Simplified throughout and GBK holds all of it."""
    form = text.translate(script)
    is_mixed = any(char in script.values() for char in text)
    return not is_mixed and form.encode("gbk", "replace").decode("gbk") == form


class Tally:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.shown: list[str] = []

    def add(self, wanted: str, restored, *, is_cut: bool, is_eaten: bool) -> None:
        self.counts["all"] += 1
        self.counts["cut"] += is_cut
        exact = restored.text == wanted
        self.counts["eaten"] += is_cut and is_eaten
        self.counts["eaten exact"] += exact and is_cut and is_eaten
        self.counts["exact"] += exact
        self.counts["cut exact"] += exact and is_cut
        self.counts[f"{'right' if exact else 'wrong'} {restored.verdict}"] += 1
        if not exact:
            self.shown.append(describe(wanted, restored))

    def line(self) -> str:
        count = self.counts
        whole = count["cut"] - count["eaten"]
        whole_exact = count["cut exact"] - count["eaten exact"]
        return (
            f"{count['all']:6} paragraphs {count['exact'] / max(1, count['all']):8.3%} exact; "
            f"{count['cut']:5} cut {count['cut exact'] / max(1, count['cut']):8.3%} exact; "
            f"{whole:5} of these lost no ASCII {whole_exact / max(1, whole):8.3%} exact; "
            + ", ".join(
                f"{key} {count[key]}" for key in sorted(count) if key.startswith(("right", "wrong"))
            )
        )


def describe(wanted: str, restored) -> str:
    at = next((i for i, (a, b) in enumerate(zip(wanted, restored.text, strict=False)) if a != b), 0)
    start = max(0, at - 8)
    places = [(p.received, p.repaired, p.verdict, p.alternatives[:3]) for p in restored.places]
    return (
        f"  {restored.verdict}: wanted {wanted[start : at + 14]!r}\n"
        f"           got {restored.text[start : at + 14]!r}\n           {places}"
    )


def run_setting(pages, script, count, *, noise, shown, alone, habit="frequent") -> Tally:
    """Damage, restore and count; ``shown`` says what a capture made of the page."""
    texts_of_all = [text for row in pages for text in texts_of(row)]
    glosses = gloss_table(texts_of_all, count, script, habit)
    rng, tally = random.Random(count), Tally()
    view = {"live": str, "captured": drop_controls, "folded": fold}[shown]
    marks = MARKS if noise else []
    for row in pages:
        texts = [text for text in texts_of(row) if is_clean(text, script)]
        forms = [text.translate(script) for text in texts]
        received = [view(damage(text, glosses, marks, rng)) for text in forms]
        learnt = None if alone else learn(received)
        for text, form, got in zip(texts, forms, received, strict=True):
            if len(text) < 20:
                continue
            base = view(form)
            is_cut = got.count("?") > base.count("?")
            is_eaten = is_cut and eaten_count(form, glosses, marks, count) > 0
            restored = restore(got, learnt)
            if (
                learnt is None
                and restored.verdict == "clean"
                and "(" not in got.replace("(", "", base.count("("))
            ):
                continue  # nothing to learn from
            tally.add(view(text), restored, is_cut=is_cut, is_eaten=is_eaten)
    return tally


def drop_controls(text: str) -> str:
    return re.sub("[\x05-\x08]", "", text)


def check_harmless(folder: Path, rows: list[dict]) -> None:
    changed, size, seconds = 0, 0, 0.0
    for row in rows:
        html = gzip.decompress((folder / row["html"]).read_bytes())
        for encoding in (row.get("encoding") or "utf-8", "utf-8"):
            text = html.decode(encoding, "replace")
            size += len(text.encode("utf-8", "replace"))
            started = time.process_time()
            restored = restore(text)
            seconds += time.process_time() - started
            changed += restored.text != text
        for text in texts_of(row):
            changed += restore(text).text != text
    print(f"undamaged: {len(rows)} pages, {changed} changed, {size / seconds / 1e6:.0f} MB/s")


def settings(counts: list[int]) -> Iterator[tuple[int, bool, str, str]]:
    for count in counts:
        for noise, shown in product((False, True), ("live", "folded")):
            yield count, noise, shown, "frequent"
        yield count, True, "captured", "rare"


def check_speed(pages: list[dict], script: dict[int, str]) -> None:
    """Damaged pages per 2,000 characters, and text that means harm per megabyte."""
    glosses = gloss_table([text for row in pages for text in texts_of(row)], 70, script)
    rng, size, seconds, slowest = random.Random(1), 0, 0.0, 0.0
    for row in pages[:100]:
        text = "\n".join(texts_of(row)).translate(script)
        received = fold(damage(text, glosses, MARKS, rng))
        started = time.process_time()
        restore(received)
        spent = time.process_time() - started
        size, seconds = size + len(received), seconds + spent
        if len(received) > 1000:
            slowest = max(slowest, spent / len(received))
    mean = seconds / max(1, size)
    print(f"damaged: {2e6 * mean:.1f} ms per 2,000 characters, slowest page {2e6 * slowest:.1f} ms")
    for hostile in (
        "?jiǎn)",
        "業(yè)?jiǎn)",
        "發(fā)展，?：",
        "業(yè)經(jīng)??，",
        "業(yè)?\n",
        "(yè",
        "?",
    ):
        started = time.process_time()
        restored = restore(hostile * (1_000_000 // len(hostile)))
        spent = time.process_time() - started
        print(f"hostile: a million characters of {hostile!r} {spent:.2f} s, {restored.verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--alone", action="store_true", help="learn from each paragraph alone")
    parser.add_argument("--glosses", type=int, nargs="*", default=[30, 70, 400])
    options = parser.parse_args()
    rows = read_pages(options.folder)
    script = script_table()
    pages = [row for row in rows if row.get("lang") == "zh-hans"][: options.pages]
    for count, noise, shown, habit in settings(options.glosses):
        started = time.process_time()
        tally = run_setting(
            pages, script, count, noise=noise, shown=shown, alone=options.alone, habit=habit
        )
        seconds = time.process_time() - started
        name = f"{count:3} glosses {habit:8} noise={noise:d} {shown:8}"
        print(f"{name} {tally.line()} {seconds:.1f} s", flush=True)
        for text in tally.shown[: options.show]:
            print(text)
    check_speed(pages, script)
    check_harmless(options.folder, rows)


if __name__ == "__main__":
    main()

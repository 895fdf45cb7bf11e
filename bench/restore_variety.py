"""Damage real paragraphs in every way that the description of kits leaves open, and restore them.

Usage::

    python bench/restore_variety.py FOLDER [--pages 40] [--show 2]

``FOLDER`` is that of ``bench/restore.py``. A way of damaging is wrong where a paragraph came back
otherwise than it was and its verdict is ``clean`` or ``proved``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from functools import cache
from pathlib import Path

from hongxing_crawler.core.restore import find_unproved, learn, restore

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from mirror_kit import MARKS, MirrorKit, traditional, usual_glosses

WAYS = {
    "usual": {},
    "30 glosses": {"count": 30},
    "400 glosses": {"count": 400},
    "glosses of any characters": {"habit": "any"},
    "rare glosses": {"habit": "random"},
    "no noise": {"marks": ""},
    "noise in reverse order": {"marks": MARKS[::-1]},
    "noise before two marks": {"marks": "，。"},
    "noise after glosses": {"is_noise_first": False},
    "one pass": {"is_one_pass": True},
    "decoded like Windows": {"shows_open_pairs": True},
    "captured": {"is_captured": True},
    "captured and folded": {"is_captured": True, "fold": "compatible"},
    "two marks folded": {"is_captured": True, "fold": "two marks"},
    "tables of Taiwan": {"tables": "s2tw"},
    "one paragraph": {"length": 1},
}


def read_texts(folder: Path) -> list[list[str]]:
    rows = map(json.loads, (folder / "manifest.jsonl").open(encoding="utf-8"))
    bodies = (row["gold"].get("body") or [] for row in rows if row.get("lang") == "zh-hans")
    return [texts for body in bodies if (texts := [text for text in body if is_pure(text)])]


@cache
def forms() -> frozenset[str]:
    """Characters that only a conversion writes."""
    simple = [chr(code) for code in range(0x4E00, 0x9FA6)]
    return frozenset(
        form
        for char in simple
        for mode in ("s2t", "s2tw")
        if (form := traditional(char, mode)) != char
    )


def is_pure(text: str) -> bool:
    """Whether a text is Simplified throughout and GBK holds all of it."""
    return forms().isdisjoint(text) and text.encode("gbk", "ignore").decode("gbk") == text


def choose(texts: list[list[str]], count: int, habit: str, chance: random.Random) -> list[str]:
    chars = Counter(char for body in texts for text in body for char in text)
    counts: Counter[str] = Counter()
    for char, number in chars.items():
        if "\u4e00" <= char <= "\u9fff" and (habit == "any" or traditional(char) != char):
            counts[traditional(char)] += number
    common = [char for char, _ in counts.most_common(2_000)]
    return common[:count] if habit == "frequent" else chance.sample(common, min(count, len(common)))


def run(texts: list[list[str]], pages: int, way: dict) -> tuple[Counter, list[str]]:
    way = dict(way)
    length, count = way.pop("length", 12), way.pop("count", 70)
    habit = way.pop("habit", "frequent")
    chance, tally, shown = random.Random(1), Counter(), []
    for body in chance.sample(texts, min(pages, len(texts))):
        glosses = usual_glosses(choose(texts, count, habit, chance), chance, 0.15)
        kit = MirrorKit(glosses, **way, chance=chance)
        received = [kit.damage(text) for text in body[:length]]
        found = learn(received) or find_unproved(received)
        for text, got in zip(body, received, strict=False):
            restored = restore(got, found)
            is_exact = restored.text == kit.view(text)
            tally["all"] += 1
            tally["exact"] += is_exact
            if not is_exact and restored.verdict in {"clean", "proved"}:
                tally["wrong"] += 1
                shown.append(describe(kit.view(text), restored))
    return tally, shown


def describe(wanted: str, restored) -> str:
    pairs = enumerate(zip(wanted, restored.text, strict=False))
    at = next((at for at, (one, other) in pairs if one != other), len(wanted))
    start = max(0, at - 10)
    return (
        f"  {restored.verdict}: {wanted[start : at + 14]!r}, got {restored.text[start : at + 14]!r}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    texts = read_texts(options.folder)
    for name, way in WAYS.items():
        tally, shown = run(texts, options.pages, way)
        share = tally["exact"] / max(1, tally["all"])
        print(f"{name:26} {tally['all']:5} paragraphs {share:8.3%} exact, wrong {tally['wrong']}")
        for text in shown[: options.show]:
            print(text)


if __name__ == "__main__":
    main()

"""Generate the data tables of ``core/restore`` from the data of opencc and pypinyin.

Run once after an update of either package::

    python bench/restore_tables.py hongxing_crawler/core/restore

* ``readings.tsv``: reading, characters of GBK that have it (pypinyin's ``pinyin_dict.json``).
* ``script.tsv``: Traditional character, Simplified character, and ``first`` where the tables of
  opencc choose this form before others, ``other`` for other forms, ``shared`` for forms that
  Simplified text knows too.
* ``pairs.tsv``: first character, its share of text in parts per ten million, the words it
  starts in the same unit, how many of a thousand of its places end a word, then per level the
  characters that follow it in words: those of ``restore_words.txt`` beside this script with
  their weights, and those of both packages, which know no frequencies, with small ones.

opencc is under the Apache licence 2.0, pypinyin under MIT.
"""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import opencc
import pypinyin

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE_WEIGHT = {2: 2000, 3: 150}  # by length: the packages collect rare words and sayings
_IN_WORDS = 0.8
_ALONE = 0.1  # least part of a character's places that are words of one character
_LONGEST_WORD = 4
_FIRST, _LAST = 0x4E00, 0x9FA5
# In use in Simplified text, and in nothing that a table of this kind converts.
_HONEST_FORMS = frozenset("锺么拚醣吒乾藉瞭覆著")
# Written by some tables for characters that opencc leaves alone.
_WRITTEN_BY_SOME = frozenset("採佈註誌週僱捨唸嚐併倖弔慾摺歎氾洩盃迴鍊鑑餵蹟")
# Names in Simplified text hold them.
_NAME_FORMS = frozenset("昇堃喆甯祐珮菴嶽菸")
_LEVELS = (0, 0.05, 0.15, 0.5, 2, 4, 8, 16, 32, 64)


def _is_gbk(char: str) -> bool:
    try:
        return len(char) == 1 and len(char.encode("gbk")) == 2
    except UnicodeEncodeError:
        return False


def _is_gb2312(char: str) -> bool:
    try:
        return bool(char.encode("gb2312"))
    except UnicodeEncodeError:
        return False


@cache
def read_opencc(name: str) -> dict[str, list[str]]:
    """Dump one of opencc's compiled dictionaries."""
    root = Path(opencc.__file__).parent / "clib"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "dump.txt"
        source = root / "share" / "opencc" / f"{name}.ocd2"
        tool = root / "bin" / "opencc_dict"
        command = [tool, "-i", source, "-o", out, "-f", "ocd2", "-t", "text"]
        subprocess.run(list(map(str, command)), check=True)
        rows = (line.split("\t") for line in out.read_text("utf-8").splitlines())
        return {key: values.split() for key, values in rows}


def read_readings() -> dict[str, list[str]]:
    """Readings of every character of GBK, the usual one first."""
    path = Path(pypinyin.__file__).parent / "pinyin_dict.json"
    rows = json.loads(path.read_text("utf-8"))
    return {
        chr(int(code)): readings.split(",")
        for code, readings in rows.items()
        if _FIRST <= int(code) <= _LAST and _is_gbk(chr(int(code)))
    }


def read_words() -> list[str]:
    """Words of two and more characters, in Simplified script."""
    path = Path(pypinyin.__file__).parent / "phrases_dict.json"
    words = set(json.loads(path.read_text("utf-8"))) | set(read_opencc("STPhrases"))
    return sorted(word for word in words if len(word) > 1)


def build_readings() -> str:
    by_reading: dict[str, list[str]] = defaultdict(list)
    for char, readings in read_readings().items():
        for reading in readings:
            by_reading[reading].append(char)
    return "".join(f"{key}\t{''.join(sorted(by_reading[key]))}\n" for key in sorted(by_reading))


def _variants(forms: set[str]) -> set[str]:
    """Add the forms that Taiwan and Hong Kong prefer."""
    tables = [read_opencc(name) for name in ("TWVariants", "HKVariants")]
    return forms | {new for form in forms for table in tables for new in table.get(form, ())}


def _script_rows() -> dict[str, tuple[str, str]]:
    rows: dict[str, tuple[str, str]] = {}
    simple_to_forms = read_opencc("STCharacters")
    for traditional, simples in read_opencc("TSCharacters").items():
        simple_to_forms.setdefault(simples[0], []).append(traditional)
    for kind, count in (("first", 1), ("other", 99)):
        for simple, forms in sorted(simple_to_forms.items()):
            for form in sorted(_variants(set(forms[:count])) - {simple}):
                if form not in rows or (_is_gb2312(simple) and not _is_gb2312(rows[form][0])):
                    rows[form] = (simple, kind)
    return rows


def build_script() -> str:
    lines = []
    first = {simple: forms[0] for simple, forms in read_opencc("STCharacters").items()}
    for form, (simple, kind) in sorted(_script_rows().items()):
        if not (_is_gbk(form) and _is_gbk(simple)) or form in _HONEST_FORMS or form in first:
            continue
        if kind == "other" and first.get(simple, simple) == simple:
            if form in _WRITTEN_BY_SOME:
                lines.append(f"{form}\t{simple}\tshared\n")
        elif form in _NAME_FORMS:
            if kind == "first":
                lines.append(f"{form}\t{simple}\tshared\n")
        elif _is_gb2312(form):
            if kind != "first" or not _is_gb2312(simple):
                continue
            lines.append(f"{form}\t{simple}\tshared\n")
        else:
            lines.append(f"{form}\t{simple}\t{kind}\n")
    lines.append("著\t着\tshared\n")  # converted by many tables, kept by opencc's
    return "".join(lines)


def read_own_words() -> tuple[str, dict[str, int]]:
    """Characters by falling frequency, and words with their weights."""
    chars, words = "", {}
    for line in Path(__file__).with_name("restore_words.txt").read_text("utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "chars":
            chars = "".join(dict.fromkeys(rest))
        elif kind == "words":
            weight, *found = rest.split()
            words |= {word: max(int(weight), words.get(word, 0)) for word in found}
    return chars, words


def _level(count: float) -> int:
    return max(index for index, least in enumerate(_LEVELS) if count >= least)


def _share(rank: int) -> float:
    """Share of text of the character at this rank: Zipf's law with a thinner tail."""
    return 0.038 if rank == 0 else 0.095 * (rank + 9) ** -0.75 * math.exp(-rank / 1000)


def _shares() -> dict[str, float]:
    """Share of text of every character."""
    singles = Counter(char for word in read_words() for char in word if _is_gbk(char))
    shares = {char: min(2e-5, 2e-7 * count + 2e-7) for char, count in singles.items()}
    chars, _ = read_own_words()
    shares |= {char: _share(rank) for rank, char in enumerate(chars)}
    total = sum(shares.values())
    return {char: share / total for char, share in shares.items()}


def _word_weights(shares: Mapping[str, float]) -> dict[str, float]:
    """Own words with their weights; those of the packages by how frequent their characters are."""
    words: dict[str, float] = {}
    for word in read_words():
        product = math.prod(shares.get(char, 1e-8) for char in word)
        mean = product ** (1 / len(word))
        words[word] = min(4.0, _PACKAGE_WEIGHT[min(len(word), 3)] * mean)
    _, own = read_own_words()
    return words | {word: float(weight) for word, weight in own.items() if len(word) > 1}


def build_pairs() -> str:
    """Share of a character, of words that it starts, of its places that end a word; followers."""
    shares = _shares()
    words = _word_weights(shares)
    scale = _IN_WORDS * sum(shares.values()) / sum(len(word) * words[word] for word in words)
    inside, starts, ends = Counter(), Counter(), Counter()
    pairs: Counter[str] = Counter()
    for word, weight in words.items():
        inside.update(dict.fromkeys(word, weight * scale))
        starts[word[0]] += weight * scale
        ends[word[-1]] += weight * scale
        for first, second in pairwise(word):
            pairs[first + second] += weight
    rows: dict[str, list[list[str]]] = defaultdict(lambda: [[] for _ in _LEVELS])
    for pair, count in sorted(pairs.items()):
        if all(_is_gbk(char) for char in pair):
            rows[pair[0]][_level(count)].append(pair[1])
    lines = []
    for char in sorted(shares):
        bound = min(1 - _ALONE, inside[char] / shares[char])  # part of its places inside words
        start = 1 - bound + bound * starts[char] / max(inside[char], 1e-9)
        end = 1 - bound + bound * ends[char] / max(inside[char], 1e-9)
        numbers = (1e7 * shares[char], 1e7 * shares[char] * start, 1e3 * end)
        fields = [char, *(str(round(number)) for number in numbers)]
        fields += ["".join(level) for level in rows[char]] if char in rows else []
        lines.append("\t".join(fields).rstrip("\t") + "\n")
    return "".join(lines)


def read_alone() -> dict[str, float]:
    """Characters that are words of their own, per million words."""
    alone = {char: min(60.0, max(0.05, 4e4 * share)) for char, share in _shares().items()}
    for kind, number, words in _marked_lines():
        if kind == "alone":
            alone |= dict.fromkeys(words.replace(" ", ""), float(number))
    return alone


def _marked_lines() -> list[tuple[str, str, str]]:
    lines = Path(__file__).with_name("restore_words.txt").read_text("utf-8").splitlines()
    parts = (line.split(" ", 2) for line in lines)
    return [(row[0], row[1], row[2]) for row in parts if row[0] in {"alone", "first"}]


def build_words() -> str:
    """Words by how often a million words hold them, and those that begin clauses."""
    weights = {word: 8 * weight for word, weight in _word_weights(_shares()).items()}
    weights |= read_alone()
    rows: dict[str, list[str]] = defaultdict(list)
    for word, weight in sorted(weights.items()):
        if len(word) <= _LONGEST_WORD and all(map(_is_gbk, word)):
            rows[f"{2.0 ** round(math.log2(weight)):g}"].append(word)
    lines = [f"{level}\t{' '.join(rows[level])}\n" for level in sorted(rows, key=float)]
    first = [f"^{number}\t{words}\n" for kind, number, words in _marked_lines() if kind == "first"]
    return "".join((*lines, *first))


def header(rows: str) -> str:
    """Lines that begin with #: where the rows come from, their licence, their checksum."""
    sources = f"opencc {version('opencc')} (Apache-2.0), pypinyin {version('pypinyin')} (MIT)"
    digest = hashlib.sha256(rows.encode()).hexdigest()
    return (
        f"# made by bench/restore_tables.py from {sources} and bench/restore_words.txt\n"
        f"# sha256 of the rows below: {digest}\n"
    )


def main() -> None:
    folder = Path(sys.argv[1])
    for name, build in (
        ("readings", build_readings),
        ("script", build_script),
        ("pairs", build_pairs),
        ("words", build_words),
    ):
        text = build()
        text = header(text) + text
        (folder / f"{name}.tsv").write_text(text, "utf-8")
        print(f"{name}.tsv: {text.count(chr(10))} rows, {len(text.encode())} bytes")


if __name__ == "__main__":
    main()

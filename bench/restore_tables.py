"""Generate the data tables of ``core/restore`` from the data of opencc and pypinyin.

Run once after an update of either package::

    python bench/restore_tables.py hongxing_crawler/core/restore

* ``readings.tsv``: reading, characters of GBK that have it (pypinyin's ``pinyin_dict.json``).
* ``script.tsv``: Traditional character, Simplified character, and ``first`` where the tables of
  opencc choose this form before others, ``other`` for other forms, ``shared`` for forms that
  Simplified text knows too.
* ``pairs.tsv``: first character, its count, then per level the characters that follow it in
  the words of both packages; what the restorer knows of likely neighbours.

opencc is under the Apache licence 2.0, pypinyin under MIT.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import charset_normalizer.constant
import opencc
import pypinyin

_FIRST, _LAST = 0x4E00, 0x9FA5
# Met in the Simplified text of names and in nothing that a table of this kind converts.
_HONEST_FORMS = frozenset("么拚醣夥吒昇堃喆甯祐珮菴嶽菸乾藉瞭覆著")
_LEVELS = (1, 2, 4, 8, 16, 32)


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
    for form, (simple, kind) in sorted(_script_rows().items()):
        if not (_is_gbk(form) and _is_gbk(simple)) or form in _HONEST_FORMS:
            continue
        if _is_gb2312(form):
            if kind != "first" or not _is_gb2312(simple):
                continue
            kind = "shared"
        lines.append(f"{form}\t{simple}\t{kind}\n")
    lines.append("著\t着\tshared\n")  # converted by many tables, kept by opencc's
    return "".join(lines)


def _level(count: int) -> int:
    return max(index for index, least in enumerate(_LEVELS) if count >= least)


def build_pairs() -> str:
    words = read_words()
    singles = Counter(char for word in words for char in word)
    for rank, char in enumerate(charset_normalizer.constant.FREQUENCIES["Chinese"]):
        singles[char] += 60000 // (rank + 8)
    pairs = Counter(word[i : i + 2] for word in words for i in range(len(word) - 1))
    rows: dict[str, list[list[str]]] = defaultdict(lambda: [[] for _ in _LEVELS])
    for pair, count in sorted(pairs.items()):
        if all(_is_gbk(char) for char in pair):
            rows[pair[0]][_level(count)].append(pair[1])
    lines = []
    for char in sorted(char for char in singles if _is_gbk(char)):
        levels = "\t".join("".join(level) for level in rows[char]) if char in rows else ""
        lines.append(f"{char}\t{singles[char]}\t{levels}".rstrip("\t") + "\n")
    return "".join(lines)


def main() -> None:
    folder = Path(sys.argv[1])
    for name, build in (
        ("readings", build_readings),
        ("script", build_script),
        ("pairs", build_pairs),
    ):
        text = build()
        (folder / f"{name}.tsv").write_text(text, "utf-8")
        print(f"{name}.tsv: {text.count(chr(10))} rows, {len(text.encode())} bytes")


if __name__ == "__main__":
    main()

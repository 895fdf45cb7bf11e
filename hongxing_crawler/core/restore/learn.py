"""Learn what one mirror did to one page: its glosses, its script table, folding and noise."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.damage import Damage
from hongxing_crawler.core.restore.foreign import (
    Habits,
    has_foreign_lines,
    honest_forms,
    is_traced,
    kit_lines,
    never_written,
    share_of_glosses,
)
from hongxing_crawler.core.restore.gbk import char_across, pair_of
from hongxing_crawler.core.restore.guesses import GLOSS_RE, LETTERS
from hongxing_crawler.core.restore.language import PairModel
from hongxing_crawler.core.restore.model import NOISE_MARKS, gloss_pairs
from hongxing_crawler.core.restore.noise import Noise, learn_noise
from hongxing_crawler.core.restore.script import learn_script
from hongxing_crawler.core.restore.tables import converted, has_reading, to_simplified
from hongxing_crawler.core.restore.words import WordModel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_NOISE_RE: Final = re.compile(f"[\x05-\x08]{{1,5}}[{NOISE_MARKS}]")
_TONES: Final = frozenset("āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜńňǹḿ")
# What a gloss leaves where it cut a pair: ?jiǎn) and F(xiàn).
_CUT_GLOSS_RE: Final = re.compile(
    f"(?:[?\ufffd]|[@-~]\\()[{LETTERS}]{{0,4}}[{LETTERS[3:]}][{LETTERS}]{{0,4}}\\s{{0,4}}\\)"
)
# Damage teaches no neighbours, and the character before it may be half a word.
_RUN_RE: Final = re.compile("[^\n]?[\x05-\x08]{0,5}[?\ufffd][^。，,、\n]{0,12}")
_LEAST_SHARE: Final = 0.75  # of a character's occurrences: it is always glossed or never
_WINDOW: Final = 20
_WIDE_WINDOW: Final = 60  # most characters of a cut run are misread
_SURE_COUNT: Final = 3
_OFTEN: Final = 6
_MANY: Final = 5  # characters with their readings: more than help for readers
_MAX_MODEL: Final = 60_000
# Traditional forms that no kit writes: it leaves 后 于 里 干 as they are.
_HONEST_TRADITIONAL: Final = frozenset("於後裡裏幹範")


def learn(texts: Iterable[str]) -> Damage | None:
    """Learn the damage of a page from all of its texts.

    Text is taken as damaged only when characters that a kit converts carry their own readings,
    always, in Traditional surroundings. A page without glosses is not repaired, whatever control
    characters it holds. Pinyin after a rare name, honest parentheses and Traditional pages give
    ``None``.

    >>> learn(["真的?！我买了iPhone", "犇(bēn)", "(项目)"]) is None
    True

    Args:
        texts: Received texts of the page: title, body, captions, footer, in any order.

    Returns:
        What was learnt, ``None`` for an undamaged page. One scan over undamaged text.
    """
    page = "\n".join(texts)
    found = _find_glosses(page)
    cuts = [match.start() for match in _CUT_GLOSS_RE.finditer(page)]
    if not found and not cuts:
        return None
    noise_count = sum(1 for _ in _NOISE_RE.finditer(page))
    is_traced = bool(cuts) or noise_count >= _SURE_COUNT
    glosses = _always_glossed(page, found, is_traced=is_traced)
    if not _is_kit(page, glosses, cuts, noise_count):
        return None
    refused = frozenset(char for char, _ in found) - set(glosses)
    return _describe(page, glosses, noise_count, refused)


def _find_glosses(page: str) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for match in GLOSS_RE.finditer(page):
        char = page[match.start() - 1 : match.start()]
        if "@" <= char <= "~":
            char = char_across(page[match.start() - 2 : match.start() - 1], char)
        if "\u4e00" <= char <= "\u9fff" and has_reading(char, match[1]):
            found[char, match[1] + match[2]] += 1
    return found


def _always_glossed(
    page: str,
    found: Counter[tuple[str, str]],
    *,
    is_traced: bool,
) -> dict[str, tuple[str, int]]:
    """Keep the usual reading of each character that is glossed nearly always.

    Where noise or cuts show a kit beyond doubt, lines that it never touched do not count.
    """
    totals: Counter[str] = Counter()
    usual: dict[str, tuple[str, int]] = {}
    for (char, inserted), count in found.most_common():
        totals[char] += count
        usual.setdefault(char, (inserted, count))
    if is_traced and len(totals) >= _SURE_COUNT:
        page = kit_lines(page, found)
    glossed = {
        char: usual[char]
        for char, total in totals.items()
        if total >= _LEAST_SHARE * page.count(char) and not _is_rare_name(char, total)
    }
    return _without_names(glossed)


def _without_names(glossed: dict[str, tuple[str, int]]) -> dict[str, tuple[str, int]]:
    """Leave out readings of names on the page of a kit that glosses what it converts."""
    converted_ones = {char: row for char, row in glossed.items() if char in to_simplified()}
    is_rule = len(converted_ones) >= _OFTEN * (len(glossed) - len(converted_ones))
    return converted_ones if is_rule else glossed


def _is_rare_name(char: str, count: int) -> bool:
    """A reading after a rare character that no table converts is a help for readers."""
    return count == 1 and char not in to_simplified() and not 0xB0 <= pair_of(char) >> 8 <= 0xD7


def _is_kit(
    page: str, glosses: dict[str, tuple[str, int]], cuts: list[int], noise_count: int
) -> bool:
    is_many = noise_count >= _SURE_COUNT or len(glosses) >= _MANY
    places = (
        place
        for char, (inserted, _) in glosses.items()
        if is_many or char in to_simplified()
        for place in _places(page, f"{char}({inserted})")
    )
    count = sum(_is_traditional_at(page, at) for at in places)
    count += sum(_is_traditional_at(page, at, misread=3) for at in cuts[:_SURE_COUNT])
    is_sure = count >= _SURE_COUNT or noise_count >= _SURE_COUNT
    return count > 0 and (is_sure or not _HONEST_TRADITIONAL & set(page))


def _places(page: str, gloss: str) -> Iterator[int]:
    at = page.find(gloss)
    for _ in range(_SURE_COUNT):
        if at < 0:
            return
        yield at
        at = page.find(gloss, at + 1)


def _is_traditional_at(page: str, at: int, misread: int = 0) -> bool:
    """Whether a gloss stands among characters that a kit writes, not those it converts."""
    width = _WIDE_WINDOW if misread else _WINDOW
    around = page[max(0, at - width) : at + width]
    simple = sum(char in converted() for char in around)
    traditional = sum(char in to_simplified() for char in around)
    return traditional > 0 and simple <= misread + traditional


def _describe(
    page: str,
    found: dict[str, tuple[str, int]],
    noise_count: int,
    refused: frozenset[str],
) -> Damage:
    sample = page[:_MAX_MODEL]
    plain = _RUN_RE.sub("\n", GLOSS_RE.sub("", sample))
    glosses = {char: inserted for char, (inserted, _) in found.items()}
    noise = learn_noise(sample, frozenset(glosses))
    script, own, habits = _learn_habits(page, glosses, noise)
    return Damage(
        glosses=glosses,
        counts={char: count for char, (_, count) in found.items()},
        on_page=frozenset(own),
        script=script,
        model=PairModel(plain),
        words=WordModel(plain),
        pairs=gloss_pairs(glosses),
        is_folded=_is_folded(page),
        noise_count=noise_count,
        noise=noise,
        habits=habits,
        names=_possible_names(glosses),
        refused=refused,
    )


def _learn_habits(
    page: str, glosses: dict[str, str], noise: Noise
) -> tuple[dict[int, str], str, Habits]:
    """Learn the script table from the kit's own text, and what that text never holds."""
    lines = page.split("\n")
    own_lines = kit_lines(page, glosses.items())
    habits = Habits(
        frozenset(glosses),
        never_written(own_lines),
        noisy=noise.always_before,
        gloss_share=share_of_glosses("\n".join(line for line in lines if is_traced(line))),
    )
    own = GLOSS_RE.sub("", "\n".join(line for line in lines if not habits.is_foreign(line)))
    script = learn_script(own)
    habits = replace(habits, honest=honest_forms(page, script))
    return script, own, replace(habits, has_foreign=has_foreign_lines(lines, habits))


def _possible_names(glosses: Collection[str]) -> frozenset[str]:
    """Glossed characters that no table converts, where the kit glosses converted ones mostly."""
    others = frozenset(glosses) - set(to_simplified())
    return others if len(others) < len(glosses) / 2 else frozenset()


def _is_folded(page: str) -> bool:
    """Text captures hold ASCII marks between Chinese characters, and no full-width ones."""
    return (
        sum(map(page.count, "，：；！？（）"))
        <= len(re.findall("[\u4e00-\u9fff)”][,:;!?]", page)) // 4
    )

"""Decide whether a reading of lost bytes is certain: no other one is in the language.

Damaging any hypothesis again gives the received text; that alone proves nothing where bytes are
gone. A reading counts as proved when

* no byte was lost and the next reading is ``e**4`` times less likely, or
* bytes were lost at one place only, the reading there is a mark between complete words, and every
  other reading would leave a lone character that makes no word with its neighbours.

Where the byte of a Chinese character is lost, words alone decide, and no list of words is complete:
such a reading is never proved.

In ``正氣??己霜`` 。 may be any character whose second byte is A3 or A1; but none of those makes a
word with 氣 or with 考, while 正氣 and 考核 are words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hongxing_crawler.core.restore.guesses import Guess
    from hongxing_crawler.core.restore.language import PairModel

_MARGIN: Final = 4.0  # natural logarithm
_LOST_MARGIN: Final = 2.0
_RARE_WORD: Final = 0.25  # weight from which another reading could be a word
_WORD: Final = 0.9  # weight from which a reading is one
_RARE: Final = frozenset("_^`~@\\{|}[]")  # where a byte is gone, these are no reading to trust
_OPENING: Final = frozenset("“《（‘【")
_MARKS: Final = frozenset("，。、；：？！”》）’】…")


def is_certain(
    context: str, best: Guess, others: Sequence[Guess], after: str, model: PairModel
) -> bool:
    """Whether ``best`` is beyond doubt.

    Args:
        context: True text in front of the run, without the character that guesses begin with.
        best: The likeliest guess that explains the received text.
        others: The other guesses that explain it.
        after: Received text behind the run.
        model: What neighbours are likely.

    Returns:
        True when the verdict may be ``proved``.
    """
    margin = best.score - others[0].score if others else _MARGIN
    if best.lost_count == 0:
        return margin >= _MARGIN
    if best.lost_count > 1 or margin < _LOST_MARGIN or not others or _RARE & set(best.out):
        return False
    text = context + best.out + after
    places: set[int] = set()
    for other in others:
        rival = context + other.out + after
        if other.is_lossy or len(rival) != len(text):
            continue
        differing = [at for at in range(len(text)) if rival[at] != text[at]]
        if any(_may_be_word(rival, at, model) for at in differing):
            return False
        places |= set(differing)
    return all(text[at] in _MARKS and _stands(text, at, model) for at in places)


def _may_be_word(text: str, at: int, model: PairModel) -> bool:
    on_page = model.count_pair(text[at - 1], text[at]) if at else 0
    if on_page or (at + 1 < len(text) and model.count_pair(text[at], text[at + 1])):
        return True
    return max(_left(text, at, model), _right(text, at, model)) >= _RARE_WORD


def _stands(text: str, at: int, model: PairModel) -> bool:
    """Whether a mark stands between complete words."""
    closes = text[at - 1 : at] in _MARKS or _left(text, at - 1, model) >= _WORD
    begins = at + 1 >= len(text) or text[at + 1] in _MARKS | _OPENING
    return closes and (begins or _right(text, at + 1, model) >= _WORD)


def _left(text: str, at: int, model: PairModel) -> float:
    return _word(text[at - 1 : at + 1], model) if at > 0 else 0.0


def _right(text: str, at: int, model: PairModel) -> float:
    return _word(text[at : at + 2], model)


def _word(pair: str, model: PairModel) -> float:
    is_han = len(pair) == 2 and all("\u4e00" <= char <= "\u9fff" for char in pair)
    return model.weigh_word(pair[0], pair[1]) if is_han else 0.0

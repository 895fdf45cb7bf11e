"""What a page teaches about likely readings: its glosses, its script, its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.memory import Memory
from hongxing_crawler.core.restore.tables import kit_forms, unusual_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hongxing_crawler.core.restore.language import PairModel

# Natural logarithms, added to the score of a guess.
BARE_GLOSS: Final = -9.0  # a character of the table without its gloss
_MAX_LISTS: Final = 20_000
_NEW_GLOSS: Final = -3.0
_OTHER_FORM: Final = -8.0  # 后 where the page writes 後, or the other way round
_UNUSUAL_FORM: Final = -4.0


class Evidence:
    """What the page teaches: its glosses, its characters, neighbours, folding."""

    def __init__(
        self,
        glosses: Mapping[str, str],
        on_page: frozenset[str],
        model: PairModel,
        *,
        is_folded: bool,
        bare_cuts: Mapping[str, float],
        noisy_marks: frozenset[str],
    ) -> None:
        self.glosses = glosses
        self.on_page = on_page
        self.model = model
        self.is_folded = is_folded
        self.bare_cuts = bare_cuts  # by mark: that a mark which its noise cuts has none
        self.noisy_marks = noisy_marks  # the kit puts noise before them, shown or dropped
        self.step_count = 0
        self.run_count = 0
        self.form_weights = Memory(self._weigh_form)
        self._lists: dict[tuple[object, ...], list[str]] = {}

    def remember(self, key: tuple[object, ...], find: Callable[[], list[str]]) -> list[str]:
        """The list of candidates under ``key``, found once for each text."""
        found = self._lists.get(key)
        if found is None:
            if len(self._lists) >= _MAX_LISTS:
                self._lists.clear()
            found = self._lists[key] = find()
        return found

    def weigh_form(self, char: str) -> float:
        """Weigh the script: a kit writes one form of a character, and always the same."""
        return self.form_weights[char]

    def _weigh_form(self, char: str) -> float:
        forms = kit_forms(char)
        if len(forms) == 1 or char in self.on_page:
            return 0.0
        if not self.on_page.isdisjoint(forms):
            return _OTHER_FORM
        return _UNUSUAL_FORM if char in unusual_forms() else 0.0

    def weigh_gloss(self, char: str, reading: str) -> float:
        """Weigh a gloss that only damage shows."""
        known = self.glosses.get(char)
        if known is not None:
            return 0.0 if known.strip() == reading else BARE_GLOSS
        return BARE_GLOSS if char in self.on_page else _NEW_GLOSS

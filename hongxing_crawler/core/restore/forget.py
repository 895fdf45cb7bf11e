"""Give back the memory of restoration's tables, some 30 MB, when no text comes for a while."""

from __future__ import annotations

from hongxing_crawler.core.restore import gbk, language, noise, script, search, tables, words

_MODULES = (gbk, language, noise, script, search, tables, words)


def forget_tables() -> None:
    """Forget everything that was read or worked out once; a text that needs it has it read again.

    What restoration finds is left alone: it does not depend on what is remembered.
    """
    for module in _MODULES:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()

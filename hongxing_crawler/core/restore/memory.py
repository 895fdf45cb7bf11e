"""Values that are computed once for each character."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


class Memory(dict[str, Value], Generic[Value]):
    """A dictionary that computes what it does not hold yet.

    >>> lengths = Memory(len)
    >>> lengths["业务"], dict(lengths)
    (2, {'业务': 2})
    """

    def __init__(self, compute: Callable[[str], Value]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, key: str) -> Value:
        found = self[key] = self._compute(key)
        return found

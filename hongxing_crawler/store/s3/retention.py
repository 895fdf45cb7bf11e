"""How long a bucket may not give up raw archive and manifests: object lock, for archivists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

# Objects that never change. latest.json, reports and the dataset card are written again.
LOCKED_KINDS: Final = frozenset({"warc", "manifest"})
ALLOWED_RETENTION = '"governance 365d", "compliance 3650d", "hold", or "" for none'
_RETENTION_RE = re.compile(r"(?P<mode>governance|compliance) (?P<days>[1-9]\d{0,4})d")


@dataclass(frozen=True, slots=True)
class Retention:
    """What uploads ask for.

    ``governance`` can be lifted by whoever has the right to, ``compliance`` by nobody before its
    end, a legal ``hold`` has no end and is taken off by hand.
    """

    mode: str = ""  # governance | compliance | hold | "" for none
    days: int = 0

    def __bool__(self) -> bool:
        return bool(self.mode)

    def arguments(self, kind: str, now: datetime) -> dict[str, Any]:
        """Return what the put of a file of this kind carries."""
        if kind not in LOCKED_KINDS or not self.mode:
            return {}
        if self.mode == "hold":
            return {"ObjectLockLegalHoldStatus": "ON"}
        return {
            "ObjectLockMode": self.mode.upper(),
            "ObjectLockRetainUntilDate": now + timedelta(days=self.days),
        }


NO_RETENTION: Final = Retention()


def parse_retention(text: str) -> Retention:
    """Parse a setting.

    >>> parse_retention("governance 365d"), parse_retention("hold").days, bool(parse_retention(""))
    (Retention(mode='governance', days=365), 0, False)

    Raises:
        ValueError: Not of that form.
    """
    if text in {"", "hold"}:
        return Retention(text)
    match = _RETENTION_RE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a retention; write {ALLOWED_RETENTION}")
    return Retention(match["mode"], int(match["days"]))

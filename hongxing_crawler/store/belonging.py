"""Do the WARC files of a home belong to its state? Two homes that were mixed are no archive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hongxing_crawler.exceptions import ConfigError

if TYPE_CHECKING:
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.state import State

_RUN_RE = re.compile(r"-(run_\d{8}T\d{6}Z(?:-\d+)?)-\d{5,}\.warc\.gz(?:\.open)?")
_SHOWN = 3


def find_foreign_warcs(home: Home, state: State) -> list[str]:
    """Return the WARC files of runs that the state has never heard of."""
    runs = {entry.run_id for entry in state.runs()}
    found = (
        (path.name, _RUN_RE.search(path.name)) for path in sorted(home.warc.glob("*.warc.gz*"))
    )
    return [name for name, match in found if match and match[1] not in runs]


def check_belonging(home: Home, state: State) -> None:
    """Refuse a home whose state and WARC files come from two homes, or whose state is young.

    Raises:
        ConfigError: It names the files, and what can be done.
    """
    foreign = find_foreign_warcs(home, state)
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise ConfigError(
            f"{home.warc} holds files of runs that {home.state.name} does not know: "
            f"{', '.join(foreign[:_SHOWN])}{more}; two homes were mixed, or the state was lost. "
            "Put the files or the state back where they belong, or move the state away and make "
            "it again with hongxing reprocess; nothing was changed"
        )


def check_site(home: Home, state: State, site: str) -> None:
    """Refuse another site: its scope would throw this home's waiting URLs away.

    Raises:
        ConfigError: The home holds another site.
    """
    known = {entry.info.get("site") for entry in state.runs()} - {None}
    if known and site not in known:
        raise ConfigError(
            f"{home.root} holds the site {', '.join(sorted(map(str, known)))}; "
            f"choose another home for {site} with --home"
        )

"""Do the WARC files of a home belong to its state? Two homes that were mixed are no archive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hongxing_crawler.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hongxing_crawler.core.profile import SiteProfile
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


def check_site(home: Home, state: State, profile: SiteProfile) -> None:
    """Refuse another site: its scope would throw this home's waiting URLs away.

    The name of the profile must be known, and one host at least that the last run asked: the demo
    bears the name of the real site. A site that moves names its former hosts as ``old_hosts``.

    Raises:
        ConfigError: The home holds another site.
    """
    infos = [entry.info for entry in state.runs()]
    names = {str(info["site"]) for info in infos if info.get("site")}
    if names and profile.name not in names:
        raise ConfigError(
            f"{home.root} holds the site {', '.join(sorted(names))}; "
            f"choose another home for {profile.name} with --home"
        )
    held: list[str] = next((i["hosts"] for i in reversed(infos) if i.get("hosts")), [])
    ours = (*profile.hosts, *profile.old_hosts)
    if held and ours and _machines(held).isdisjoint(_machines(ours)):
        raise ConfigError(
            f"{home.root} holds {profile.name} of {held[0]}, not of {ours[0]}; choose "
            "another home with --home, or name the former hosts as old_hosts in the site's profile"
        )


def _machines(hosts: Iterable[str]) -> set[str]:
    """Return the hosts without their ports."""
    return {host.rpartition(":")[0] or host for host in hosts}

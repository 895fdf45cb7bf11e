"""Names to addresses, but never to a private one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import DefaultResolver

from hongxing_crawler.core.hosts import is_public_ip

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult


class GuardedResolver(AbstractResolver):
    """Resolve names, but give no private address for a name that is not allowed one.

    The check sits below every redirect and every trick with names, because only the address
    that is connected to counts.
    """

    def __init__(self, allowed: frozenset[str]) -> None:
        self._inner = DefaultResolver()
        self._allowed = allowed

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        results = await self._inner.resolve(host, port, family)
        if host.lower() in self._allowed:
            return results
        public = [result for result in results if is_public_ip(result["host"])]
        if not public:
            raise OSError(f"{host} leads to a private address")
        return public

    async def close(self) -> None:
        await self._inner.close()

"""A film from its address to one file: whole, or piece by piece from a playlist, within limits.

The same steps run over the network in the crawl and over the archive in reprocessing: they say
what to ask for next and are given what came. So both tell the same of a film, byte for byte.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from hongxing_crawler.core.charset import decode
from hongxing_crawler.core.hls import parse_playlist, rank_variants
from hongxing_crawler.core.hosts import is_private_host
from hongxing_crawler.core.record import MediaFile
from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.running.files import find_media_problem, media_addresses
from hongxing_crawler.store.media import keep_media

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from hongxing_crawler.core.hls import Playlist
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.row import FileStatus
    from hongxing_crawler.core.urls import Scope

NOT_FETCHED: Final = "not_fetched"  # not asked, or nothing came that is archived
OUT_OF_SCOPE: Final = frozenset({"outside", "never_route", "private_address"})
# Of these nothing else will be had by asking again.
_NOT_WANTED = OUT_OF_SCOPE | {"robots_denied", "too_large", "too_many_pieces"}
_REDIRECTS_MAX = 5
_PLAYLIST_MAX_BYTES = 4 << 20
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FilmLimits:
    """How much one film may be: bytes of all its pieces together, and pieces."""

    max_bytes: int
    max_pieces: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for an address, and take no more than that many bytes of its body."""

    url: str
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Got:
    """What came: an answer, or the reason why there is none. The body is ours to delete."""

    status: int = 0
    location: str = ""
    body: bytes | Path = b""
    reason: str = ""
    size: int = 0  # of a body that was too large, as far as it is known


class _FilmError(Exception):
    """A film is not to be had; the reason is for the row."""

    def __init__(self, reason: str, size: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.size = reason, size


@dataclass(frozen=True, slots=True)
class FilmTaker:
    """Take films: into ``home``, or without one only to describe them."""

    profile: SiteProfile
    scope: Scope
    limits: FilmLimits
    folder: Path  # for what is being put together
    home: Path | None

    def steps(self, url: str) -> Generator[Ask, Got, MediaFile]:
        """Take the film at an address, or on the site's media hosts at the same path.

        Returns:
            The file, with status ``stored``; ``skipped`` and a reason when it is not wanted;
            ``failed`` when asking again may bring it.

        Raises:
            OSError: The disk refused.
        """
        film = MediaFile(url, status="failed", reason="unusable_url")
        for address in media_addresses(url, self.profile, self.scope):
            try:
                film = yield from self._take(url, address)
            except _FilmError as error:
                film = _missing(url, error)
            if film.status == "stored":
                break
        return film

    def _take(self, url: str, address: str) -> Generator[Ask, Got, MediaFile]:
        address, body = yield from _follow(address, self.limits.max_bytes)
        with _deleted(body):
            if not _is_playlist(body):
                return self._keep(url, body)
            playlist = _read(body, address)
        pieces = yield from self._pieces(playlist)
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part") as file:
            for piece in pieces:
                yield from self._append(piece, file)
            file.flush()
            return self._keep(url, Path(file.name))

    def _append(self, piece: str, file: IO[bytes]) -> Generator[Ask, Got, None]:
        """Add a piece to a film, as long as there is room for it."""
        before = file.tell()
        try:
            _, content = yield from _follow(piece, max(self.limits.max_bytes - before, 1))
        except _FilmError as error:
            raise _FilmError(error.reason, error.size and error.size + before) from error
        with _deleted(content):
            file.writelines(_chunks(content))
        if file.tell() > self.limits.max_bytes:
            raise _FilmError("too_large", file.tell())

    def _keep(self, url: str, content: bytes | Path) -> MediaFile:
        film = keep_media(url, content, None)
        if problem := find_media_problem(url, film):
            raise _FilmError(problem)
        return keep_media(url, content, self.home) if self.home else film

    def _pieces(self, playlist: Playlist) -> Generator[Ask, Got, tuple[str, ...]]:
        """Return the addresses of the pieces, of several renderings those of the best that fits."""
        if not playlist.variants:
            return self._checked(playlist, 0)
        problem = _FilmError("hls_separate_sound")
        for variant in rank_variants(playlist.variants):
            if variant.has_other_sound:
                break
            try:
                address, body = yield from _follow(variant.url, _PLAYLIST_MAX_BYTES)
                with _deleted(body):
                    return self._checked(_read(body, address), variant.bandwidth)
            except _FilmError as error:
                problem = error
        raise problem

    def _checked(self, playlist: Playlist, bandwidth: int) -> tuple[str, ...]:
        size = int(playlist.seconds * bandwidth / 8)
        if playlist.variants or not playlist.pieces:
            raise _FilmError("hls_broken")
        if playlist.is_encrypted:
            raise _FilmError("hls_encrypted")
        if not playlist.is_ended:
            raise _FilmError("hls_live")
        if len(playlist.pieces) > self.limits.max_pieces:
            raise _FilmError("too_many_pieces", size)
        if size > self.limits.max_bytes:
            raise _FilmError("too_large", size)
        return playlist.pieces


def _missing(url: str, error: _FilmError) -> MediaFile:
    is_unwanted = error.reason in _NOT_WANTED or error.reason.startswith("hls_")
    status: FileStatus = "skipped" if is_unwanted else "failed"
    return MediaFile(url, status=status, reason=error.reason, bytes=error.size)


def _follow(address: str, max_bytes: int) -> Generator[Ask, Got, tuple[str, bytes | Path]]:
    """Ask for a file, and for what it is led on to; its last address and its body."""
    for _ in range(_REDIRECTS_MAX):
        got = yield Ask(address, max_bytes)
        if got.reason:
            raise _FilmError(got.reason, got.size)
        if got.status == 200:
            return address, got.body
        with _deleted(got.body):
            if not (300 <= got.status < 400 and got.location):
                raise _FilmError(f"http_{got.status}")
        try:
            address = canonical_url(urljoin(address, got.location))
        except ValueError as error:
            raise _FilmError("redirect_unusable") from error
    raise _FilmError("redirect_loop")


@contextmanager
def _deleted(body: bytes | Path) -> Iterator[None]:
    """Delete the file of a body when all is done with it."""
    try:
        yield
    finally:
        if isinstance(body, Path):
            body.unlink(missing_ok=True)


def _chunks(body: bytes | Path) -> Iterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    with body.open("rb") as file:
        while chunk := file.read(_COPY_BYTES):
            yield chunk


def _is_playlist(body: bytes | Path) -> bool:
    head = next(_chunks(body), b"")[:64]
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"#EXTM3U")


def _read(body: bytes | Path, address: str) -> Playlist:
    size = body.stat().st_size if isinstance(body, Path) else len(body)
    if size > _PLAYLIST_MAX_BYTES:
        raise _FilmError("hls_broken")
    try:
        return parse_playlist(decode(b"".join(_chunks(body))).text.lstrip(), address)
    except ValueError as error:
        raise _FilmError("hls_broken") from error


def find_refusal(url: str, profile: SiteProfile, scope: Scope) -> str:
    """Say why an address of a film is never asked for; empty when it may be.

    Films come from the site's own hosts and its media hosts alone: they are large.
    """
    netloc = urlsplit(url).netloc
    if scope.classify(url) == "never":
        return "never_route"
    if netloc in {*profile.hosts, *profile.media_hosts}:
        return ""
    return "private_address" if is_private_host(netloc) else "outside"

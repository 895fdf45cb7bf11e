"""Films that articles show: fetched when that is wanted, within limits, from the site alone."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest
from crawl_kit import crawl, parts, reprocess, snapshot
from wire_kit import Sent, WireSite, archived, article, left_over, ok

from hongxing_crawler.core.hls import parse_playlist
from hongxing_crawler.store.home import Home
from hongxing_crawler.takedown.plan import Order, take_down

MP4 = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 200
TS = [b"".join(b"\x47" + bytes([n]) * 187 for _ in range(40)) for n in range(1, 4)]
LIMIT = 100_000
LATER = datetime(2099, 1, 1, tzinfo=UTC)
SETTINGS = {"HONGXING_VIDEOS_MAX_BYTES": LIMIT, "HONGXING_VIDEOS_MAX_PIECES": 5}
M3U8 = b"application/vnd.apple.mpegurl"
PAGE = "/a/1.html"


def playlist(*names, end="#EXT-X-ENDLIST", more=""):
    lines = "".join(f"#EXTINF:4.0,\n{name}\n" for name in names)
    return ok(f"#EXTM3U\n#EXT-X-VERSION:3\n{more}{lines}{end}\n".encode(), mime=M3U8)


def master(*variants, more=""):
    lines = "".join(f"#EXT-X-STREAM-INF:BANDWIDTH={rate}\n{name}\n" for rate, name in variants)
    return ok(f"#EXTM3U\n{more}{lines}".encode(), mime=M3U8)


def film(body):
    return ok(body, mime=b"video/mp4")


def site_of(player, answers):
    return WireSite({PAGE: ok(article(inside=player)), **answers})


def rows_of(site, home, **options):
    """Crawl; the film rows of the one article, and what was asked for but the page."""
    given = {"videos": True, "video_max_bytes": LIMIT, "settings": SETTINGS}
    ended = crawl(site.profile(), home, **(given | options))
    assert ended.code in {0, 3}, ended.log
    row = snapshot(home)[PAGE]
    asked = [target for target in site.asked() if target not in {"/", PAGE, "/robots.txt"}]
    return row, asked


def sha(*pieces):
    return hashlib.sha256(b"".join(pieces)).hexdigest()


STREAM = {f"/v/{n}.ts": ok(body, mime=b"video/mp2t") for n, body in enumerate(TS, 1)}
NAMES = ("1.ts", "2.ts", "3.ts")
HLS = '<video src="/v/x.m3u8"></video>'
KEPT = [
    pytest.param(
        '<video src="/v/a.mp4"></video>',
        {"/v/a.mp4": film(MP4)},
        sha(MP4),
        "video/mp4",
        id="a file",
    ),
    pytest.param(
        '<img class="edui-faked-video" urlCloud="/v/a.mp4">',
        {"/v/a.mp4": film(MP4)},
        sha(MP4),
        "video/mp4",
        id="what an editor puts in its place",
    ),
    pytest.param(
        '<script>p("/v/党课 1.mp4")</script>',
        {"/v/%E5%85%9A%E8%AF%BE%201.mp4": film(MP4)},
        sha(MP4),
        "video/mp4",
        id="a Chinese name in a script",
    ),
    pytest.param(
        '<video src="/v/a.mp4"></video>',
        {"/v/a.mp4": ok(b"", b"Location: /w/b.mp4", status=b"302 Found"), "/w/b.mp4": film(MP4)},
        sha(MP4),
        "video/mp4",
        id="led on to another address",
    ),
    pytest.param(
        HLS, {"/v/x.m3u8": playlist(*NAMES), **STREAM}, sha(*TS), "video/mp2t", id="a playlist"
    ),
    pytest.param(
        HLS,
        {
            "/v/x.m3u8": master((100, "low.m3u8"), (900, "high/y.m3u8")),
            "/v/high/y.m3u8": playlist("../1.ts", "../2.ts"),
            **STREAM,
        },
        sha(*TS[:2]),
        "video/mp2t",
        id="the best of two renderings",
    ),
    pytest.param(
        HLS,
        {
            "/v/x.m3u8": master((1_000, "low.m3u8"), (900_000, "high.m3u8")),
            "/v/high.m3u8": playlist(*NAMES),
            "/v/low.m3u8": playlist("1.ts"),
            **STREAM,
        },
        sha(TS[0]),
        "video/mp2t",
        id="the best that fits the limit",
    ),
    pytest.param(
        HLS,
        {
            "/v/x.m3u8": playlist("1.ts", more='#EXT-X-MAP:URI="head.mp4"\n'),
            "/v/head.mp4": film(MP4[:500]),
            **STREAM,
        },
        sha(MP4[:500], TS[0]),
        "video/mp4",
        id="a playlist with a head",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": playlist("1.ts", "1.ts", more="#EXT-X-BYTERANGE:100@0\n"), **STREAM},
        sha(TS[0]),
        "video/mp2t",
        id="ranges of one file are that file",
    ),
]


@pytest.mark.parametrize(("player", "answers", "digest", "mime"), KEPT)
def test_a_film_is_kept_by_its_bytes_archived_and_read_again(
    player, answers, digest, mime, tmp_path
):
    home = tmp_path / "home"
    with site_of(player, answers) as site:
        row, asked = rows_of(site, home)
    (found,) = row["video_files"]
    again = reprocess(home, tmp_path / "again")

    assert (found["status"], found["sha256"], found["mime"], found["reason"]) == (
        "stored",
        digest,
        mime,
        "",
    )
    assert hashlib.sha256((home / found["key"]).read_bytes()).hexdigest() == digest
    assert set(asked) <= set(archived(home))
    assert "media_failed" not in row["quality"]["flags"]
    assert left_over(home) == []
    assert again.returncode == 0, again.stderr
    assert parts(tmp_path / "again") == parts(home)


BIG = Sent(
    b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 5000000000\r\n\r\n" + MP4
)
ENDLESS = Sent(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n" + MP4 * 4)
KEY = '#EXT-X-KEY:METHOD=AES-128,URI="key"\n'
SOUND = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="sound.m3u8"\n'
NOT_KEPT = [
    pytest.param(
        '<video src="/v/a.mp4">',
        {"/v/a.mp4": BIG},
        "skipped",
        "too_large",
        5_000_000_000,
        id="says that it is too large",
    ),
    pytest.param(
        '<video src="/v/a.mp4">',
        {"/v/a.mp4": ENDLESS},
        "skipped",
        "too_large",
        None,
        id="turns out too large",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": playlist(*(f"{n}.ts" for n in range(6)))},
        "skipped",
        "too_many_pieces",
        0,
        id="too many pieces",
    ),
    pytest.param(
        HLS,
        {
            "/v/x.m3u8": playlist("1.ts", "a.mp4", "b.mp4"),
            **STREAM,
            "/v/a.mp4": film(MP4),
            "/v/b.mp4": film(MP4),
        },
        "skipped",
        "too_large",
        109_944,
        id="too large together",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": playlist(*NAMES, more=KEY), **STREAM},
        "skipped",
        "hls_encrypted",
        0,
        id="encrypted",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": playlist(*NAMES, end=""), **STREAM},
        "skipped",
        "hls_live",
        0,
        id="not ended",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": ok(b"#EXTM3U\n", mime=M3U8)},
        "skipped",
        "hls_broken",
        0,
        id="a playlist of nothing",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": master((1, "x.m3u8"))},
        "skipped",
        "hls_broken",
        0,
        id="a playlist of itself",
    ),
    pytest.param(
        HLS,
        {
            "/v/x.m3u8": ok(
                f'#EXTM3U\n{SOUND}#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\ny.m3u8\n'.encode()
            )
        },
        "skipped",
        "hls_separate_sound",
        0,
        id="sound of its own",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": playlist("http://elsewhere.cn/1.ts")},
        "skipped",
        "outside",
        0,
        id="pieces on another host",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": playlist("http://169.254.169.254/1.ts")},
        "skipped",
        "private_address",
        0,
        id="pieces inside",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": playlist("/visit/1.ts")},
        "skipped",
        "never_route",
        0,
        id="pieces that count visits",
    ),
    pytest.param(
        '<video src="http://film.other.cn/a.mp4">',
        {},
        "skipped",
        "outside",
        0,
        id="on another host",
    ),
    pytest.param(
        '<video src="/v/a.mp4">',
        {"/v/a.mp4": ok(b"", b"Location: http://10.0.0.1/a.mp4", status=b"302 Found")},
        "skipped",
        "private_address",
        0,
        id="led inside",
    ),
    pytest.param(
        '<video src="/v/a.mp4">',
        {"/v/a.mp4": ok(b"", b"Location: /v/a.mp4", status=b"302 Found")},
        "failed",
        "redirect_loop",
        0,
        id="led in a circle",
    ),
    pytest.param('<video src="/v/a.mp4">', {}, "failed", "http_404", 0, id="not there"),
    pytest.param(
        '<video src="/v/a.mp4">',
        {"/v/a.mp4": ok(b"<html><body>404</body></html>")},
        "failed",
        "soft_404",
        0,
        id="a page in its place",
    ),
    pytest.param(
        '<video src="/v/a.mp4">',
        {"/v/a.mp4": Sent(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nabc")},
        "failed",
        "broken_off",
        0,
        id="breaks off",
    ),
    pytest.param(
        HLS,
        {"/v/x.m3u8": playlist(*NAMES), "/v/1.ts": STREAM["/v/1.ts"]},
        "failed",
        "http_404",
        0,
        id="a piece is not there",
    ),
    pytest.param(
        '<video src="/v/a.mp4">',
        {
            "/v/a.mp4": film(MP4),
            "/robots.txt": ok(b"User-agent: *\nDisallow: /v/", mime=b"text/plain"),
        },
        "skipped",
        "robots_denied",
        0,
        id="forbidden by robots.txt",
    ),
]


@pytest.mark.parametrize(("player", "answers", "status", "reason", "size"), NOT_KEPT)
def test_a_film_that_is_not_to_be_had_is_named_and_the_article_stays(
    player, answers, status, reason, size, tmp_path
):
    home = tmp_path / "home"
    with site_of(player, answers) as site:
        row, _ = rows_of(site, home)
    (found,) = row["video_files"]
    again = reprocess(home, tmp_path / "again")

    assert (found["status"], found["reason"], found["sha256"]) == (status, reason, "")
    assert found["bytes"] > LIMIT if size is None else found["bytes"] == size
    assert row["headline"] == "全省会议召开"
    assert ("media_failed" in row["quality"]["flags"]) == (status == "failed")
    assert not (home / "media").exists() or list((home / "media").rglob("*.mp4")) == []
    assert left_over(home) == []
    assert again.returncode == 0, again.stderr
    assert parts(tmp_path / "again") == parts(home)


def test_without_being_asked_no_film_is_fetched(tmp_path):
    with site_of(HLS, {"/v/x.m3u8": playlist(*NAMES), **STREAM}) as site:
        row, asked = rows_of(site, tmp_path / "home", videos=False)

    assert asked == []
    assert row["videos"] == [f"{site.base}/v/x.m3u8"]
    assert row["video_files"] == []


def test_films_are_asked_for_later_once_and_kept_known(tmp_path):
    home = tmp_path / "home"
    pages = [ok(article(inside=HLS)), ok(article("全省会议再次召开", inside=HLS))]
    with WireSite(
        {PAGE: [pages[0], pages[0], pages[1]], "/v/x.m3u8": playlist(*NAMES), **STREAM}
    ) as site:
        rows_of(site, home, videos=False)
        second, asked = rows_of(site, home, full=True)
        third, asked_later = rows_of(site, home, videos=False)
    again = reprocess(home, tmp_path / "again")

    assert (second["change"]["kind"], second["change"]["fields"]) == ("files", ["video_files"])
    assert len(asked) == 4
    assert asked_later == asked
    assert third["video_files"] == second["video_files"]
    assert again.returncode == 0, again.stderr
    assert parts(tmp_path / "again") == parts(home)


def test_a_film_beyond_memory_goes_to_disk(tmp_path):
    size = 300 << 20
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % size
    body = MP4 + bytes((1 << 20) - len(MP4))
    home = tmp_path / "home"
    with site_of('<video src="/v/a.mp4">', {"/v/a.mp4": Sent(head + body * 300)}) as site:
        row, _ = rows_of(
            site, home, video_max_bytes=size, settings={"HONGXING_ARCHIVE_SYNC": "close"}
        )
    stats = json.loads(next(home.glob("runs/*/run.json")).read_bytes())["stats"]

    assert row["video_files"][0]["bytes"] == size
    assert stats["memusage/max"] - stats["memusage/startup"] < 100 << 20
    assert left_over(home) == []


@pytest.mark.parametrize(
    "text", ["", "x", "#EXTM3U\n\n\n#EXT-X-STREAM-INF\nfile:///etc/passwd", "#EXTM3U\n#EXT-X-MAP:X"]
)
def test_what_is_no_playlist_is_refused(text):
    with pytest.raises(ValueError, match=r"no playlist|no address"):
        parse_playlist(text, "http://a.cn/x.m3u8")


def test_a_takedown_with_its_files_takes_the_film(tmp_path):
    home = tmp_path / "home"
    with site_of(HLS, {"/v/x.m3u8": playlist(*NAMES), **STREAM}) as site:
        row, _ = rows_of(site, home)
    url = site.base + PAGE
    take_down(Home(home), Order((url,), "他人的肖像", "x", with_media=True), lambda: LATER)

    assert not (home / row["video_files"][0]["key"]).exists()
    assert {
        exchange.capture.record_type
        for path, exchange in archived(home).items()
        if path.startswith("/v/")
    } == {"metadata"}  # what was removed, and why

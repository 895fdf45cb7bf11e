"""Visits, captures and rows for the tests of the state: small, with fixed times and names."""

from datetime import UTC, datetime, timedelta

from hongxing_crawler.core.document import ArticleContent, CleanedPage, FoundImage, Page
from hongxing_crawler.core.profile import Revisit, SiteProfile
from hongxing_crawler.core.record import MediaFile, Origin, build_article
from hongxing_crawler.items import Capture
from hongxing_crawler.store.state import State
from hongxing_crawler.store.visit import Found, Visit

SITE = "https://www.hxw.gov.cn"
LIST = f"{SITE}/channel/1.html"
ONE = f"{SITE}/content/2020/03/20/1.html"
TWO = f"{SITE}/content/2020/03/20/2.html"
PROFILE = SiteProfile("hongxing", hosts=("www.hxw.gov.cn",))
EAGER = SiteProfile("hongxing", revisit=Revisit(article_first_s=0.0, unconditional_share=0.0))
START = datetime(2026, 11, 23, 8, tzinfo=UTC)
WARC = "hongxing-00000.warc.gz"


def run_id(day):
    return f"run_202611{23 + day:02}T080000Z"


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def forward(self, **delta):
        self.now += timedelta(**delta)


class Archive:
    """A state and its runs, one a day."""

    def __init__(self, folder):
        self.clock = Clock()
        self.path = folder / "state.sqlite"
        self.state = State.open(self.path, now=self.clock)
        self.day = -1
        self.run_id = ""
        self.offset = 0

    def begin(self, profile=EAGER, **plan):
        self.day += 1
        self.clock.now = START + timedelta(days=self.day)
        self.run_id = run_id(self.day)
        self.state.begin_run(self.run_id, self.clock(), {})
        return self.state.plan(self.run_id, profile, self.clock(), **plan)

    def end(self):
        self.state.end_run(self.run_id, self.clock(), 0, "finished", {})

    def reopen(self):
        self.state.close()
        self.state = State.open(self.path, now=self.clock)

    def add(self, *urls, kind="article", priority=10):
        return self.state.add_found([Found(url, kind, priority) for url in urls], "")

    def ticket(self, url):
        """Take until this URL comes; the others are given back."""
        tickets = self.state.take(100)
        (found,) = [ticket for ticket in tickets if ticket.url == url]
        self.state.release(ticket.id for ticket in tickets if ticket.url != url)
        return found

    def capture(self, url, status=200, body="body", **changes):
        self.offset += 1_000
        values = {
            "warc_filename": WARC, "offset": self.offset, "length": 1_000,
            "record_id": f"urn:uuid:{self.offset:032x}", "record_type": "response",
            "payload_digest": f"sha256:{body}", "url": url, "fetched_at": self.clock(),
            "status": status, "mime": "text/html",
        }  # fmt: skip
        return Capture(**values | changes)

    def visit(self, url, outcome="done", *, body="正文。", status=200, **changes):
        """Take a URL and finish its visit; articles get a row when the outcome is done."""
        ticket = self.ticket(url)
        capture = self.capture(url, status, body)
        visit = Visit(
            ticket, outcome, status=status, finished_at=self.clock(), captures=[capture],
            main=capture, etag=f'"{body}"',
        )  # fmt: skip
        if outcome == "done" and ticket.kind == "article":
            visit.articles = [self.article(url, body, capture)]
        for name, value in changes.items():
            setattr(visit, name, value)
        return self.state.finish(self.run_id, visit)

    def article(self, url, body, capture, images=(), media=None):
        content = ArticleContent(
            headline="标题", article_body=body, images=tuple(map(FoundImage, images))
        )
        cleaned = CleanedPage(Page(url), content, received=body)
        origin = Origin(url, list_url=LIST, run_id=self.run_id)
        return build_article(cleaned, origin=origin, capture=capture, media=media)


def picture(url, sha256="ab" * 32):
    return MediaFile(url, sha256, "image/jpeg", 10, 4, 3)

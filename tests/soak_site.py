"""A site that lives: it publishes, corrects, removes, is redesigned, hacked, away; it blocks us."""

import contextlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hongxing_crawler.demo.content import Article, load_site
from hongxing_crawler.demo.faults import Fault
from hongxing_crawler.demo.server import Server
from hongxing_crawler.demo.site import DemoSite

TEMPLATES = ("a", "b", "c")
MARK = "n-"  # put before all classes by the redesign
_SHOP_RE = re.compile(rb"\b(\w+)\.example\b")  # hosts that the inserts advertise
_CLASS_RE = re.compile(r'class="([^"]+)"')
_PLACES = ("青溪县", "临江区", "云岭县", "沅水市", "双溪镇", "石门桥镇", "马头岭乡", "花园村")
_NAMES = ("林霁月", "何渡", "钟毓", "文竹青", "谢晚亭", "卢岱云", "黄松涛", "周砚秋")
_DEEDS = ("推行党员积分管理", "开办田间课堂", "延时服务受欢迎", "选派驻村工作队", "评议党支部书记")

# Injected week by week: where, and which insert of the demo site.
HACKS = (
    (("after_footer", "wheel_list"),),
    (("article_end", "wheel_in_article"), ("after_body", "kit_junk_after_body")),
    (("body_start", "wheel_hidden"), ("article_end", "spam_sentences")),
)

# What the operator adds to the profile when the redesign was told.
NEW_TEMPLATES = f"""
[[templates]]
name = "new-a"
title = ["h1.{MARK}detail_title"]
body = ["section.{MARK}detail_article_content", "article.{MARK}detail-article"]
date = ["span.{MARK}p_l_25"]
source = ["span.{MARK}p_l_10"]

[[templates]]
name = "new-b"
title = ["main section.{MARK}box_left h1"]
body = ["main article section"]
date = ["main section div span"]
source = ["main section div span"]

[[templates]]
name = "new-c"
title = ["h1"]
body = ["div.{MARK}detail_article_content"]
date = ["#pubtime_baidu"]
source = ["#source_baidu"]
"""


@dataclass
class Weather:
    """What is wrong with the site today."""

    redesigned: bool = False
    hack: tuple = ()
    clock_s: float = 0.0  # the site's clock, before or behind


class LivingSite(DemoSite):
    """The demo site, with more articles every working day."""

    def __init__(self, rng):
        super().__init__()
        self.rng = rng
        self.weather = Weather()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._number = 8_000_000
        self._base = load_site(1)
        self._sources = [
            block.text
            for article in self._base.articles
            for block in article.blocks
            if block.kind == "text" and "[" not in block.text and not article.damage
        ]
        self.published = {}  # path -> Article
        self.removed = set()

    def publish(self, day, count):
        """Write new articles from the sentences of old ones."""
        for _ in range(count):
            self._number += self.rng.randint(1, 9)
            article = self._write(day, self._number)
            self.published[article.path] = article
        self.refresh()

    def _write(self, day, number):
        rng = self.rng
        paragraphs = [self._paragraph(day) for _ in range(rng.randint(3, 8))]
        return Article(
            id=number,
            path=f"/content/{day:%Y/%m/%d}/{number}.html",
            template=rng.choice(TEMPLATES),
            channel=rng.choice(["yw", "jcdj", "tzgg", "rcgz"]),
            headline=f"{rng.choice(_PLACES)}{rng.choice(_DEEDS)}（{number % 1000}）",
            date=f"{day} {rng.randint(8, 17):02}:{rng.randint(0, 59):02}",
            body="\n\n".join(paragraphs),
            source="红星网",
        )

    def _paragraph(self, day):
        """Every paragraph is one of a kind, as in the news."""
        rng = self.rng
        text = rng.choice(self._sources)
        text = re.sub(r"\d+", lambda match: str(rng.randint(2, 10 ** len(match[0]))), text)
        about = f"{day.month}月{day.day}日，{rng.choice(_PLACES)}{rng.choice(_NAMES)}"
        return f"{about}在第{rng.randint(2, 9999)}次走访中记录：{text}"

    def correct(self, day):
        """Change a sentence of one article of the last days."""
        path = self.rng.choice(list(self.published)[-20:])
        article = self.published[path]
        body = f"{article.body}\n\n{day.month}月{day.day}日更正：{self._paragraph(day)}"
        self.published[path] = replace(article, body=body)
        self.refresh()

    def remove(self):
        path = self.rng.choice(list(self.published)[-20:])
        del self.published[path]
        self.removed.add(path)
        self.refresh()

    def refresh(self):
        """Show the articles as they are, and as the weather makes them look."""
        articles = (*self._base.articles, *self.published.values())
        self.show(replace(self._base, articles=tuple(map(self._dress, articles))))

    def _is_hacked(self, article):
        return bool(self.weather.hack) and article.template in TEMPLATES and not article.damage

    def _dress(self, article):
        if not self._is_hacked(article):
            return article
        return replace(article, inserts=(*article.inserts, *self.weather.hack))

    def _find_article(self, path):
        reply = super()._find_article(path)
        article = self._articles.get(path, (None,))[0]
        if reply and article and self._is_hacked(article):  # for shops that nobody saw before
            reply = replace(reply, body=_SHOP_RE.sub(rb"\1-2.example", reply.body))
        if reply and self.weather.redesigned and article and article.template in TEMPLATES:
            charset = article.charset
            html = _CLASS_RE.sub(_rename, reply.body.decode(charset))
            known = {"ETag", "Last-Modified"}  # of the page as it was
            headers = tuple(header for header in reply.headers if header[0] not in known)
            return replace(reply, body=html.encode(charset), headers=headers)
        return reply

    def _answer(self, request):
        reply = super()._answer(request)
        at = self.now + timedelta(seconds=self.weather.clock_s)
        stamp = format_datetime(at, usegmt=True).encode()
        return replace(reply, headers=(*reply.headers, ("Date", stamp)))

    def block(self):
        self.faults.add(Fault("status", status=403))

    @contextlib.contextmanager
    def away(self):
        """Nobody listens."""
        ports = self.ports
        self.stop()
        try:
            yield
        finally:
            self._server = Server(
                self._answer, ports=dict(zip(("www", "img"), ports, strict=True))
            ).start()


def _rename(match):
    return f'class="{" ".join(MARK + name for name in match[1].split())}"'

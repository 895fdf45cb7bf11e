"""Turn the demo site's articles, lists and topics into HTML of their template's generation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup, escape

from hongxing_crawler.demo.content import DATA_FOLDER
from hongxing_crawler.demo.damage import damage_html
from hongxing_crawler.demo.markup import inline_html, parse_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hongxing_crawler.demo.content import Article, Channel, Site, Topic
    from hongxing_crawler.demo.markup import Block

SITE_NAME = "红星网"
PAGE_SIZE = 10
_RELATED_COUNT = 3
_INDENT = "\u3000\u3000"


@dataclass(frozen=True, slots=True)
class BodyStyle:
    """How a template's editor writes paragraphs, pictures, captions and tables."""

    text: str = "<p>" + _INDENT + "{}</p>"
    right: str = '<p style="text-align: right;">{}</p>'
    picture: str = '<p style="text-align: center;"><img src="{}" alt="{}"></p>'
    caption: str = '<p style="text-align: center;">{}</p>'
    table: str = '<table border="1"><tbody>{}</tbody></table>'


_STYLES = {
    "2012": BodyStyle(
        text="<P>" + _INDENT + "{}</P>",
        right="<P align=right>{}</P>",
        picture='<P align=center><IMG border=0 src="{}" alt="{}"></P>',
        caption="<P class=imgcaption align=center>{}</P>",
        table="<TABLE border=1>{}</TABLE>",
    ),
    "2017": BodyStyle(caption='<p class="imgcaption" align="center">{}</p>'),
}


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(DATA_FOLDER / "demo_site" / "templates")
    return jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=False, undefined=jinja2.StrictUndefined
    )


def _trusted(html: str) -> Markup:
    return Markup(html)  # noqa: S704 - HTML from the demo's own data files


def render_template(name: str, **values: Any) -> str:
    return _environment().get_template(f"{name}.html").render(site_name=SITE_NAME, **values)


def render_block(block: Block, style: BodyStyle) -> str:
    """Write one block in a template's style."""
    if block.kind == "picture":
        picture = style.picture.format(block.url, block.alt)
        return picture + ("\n" + style.caption.format(block.text) if block.text else "")
    if block.kind == "table":
        cells = ("".join(f"<td>{inline_html(cell)}</td>" for cell in row) for row in block.rows)
        return style.table.format("\n".join(f"<tr>{row}</tr>" for row in cells))
    form = style.right if block.kind == "right" else style.text
    return form.format(inline_html(block.text))


def render_body(article: Article, blocks: Sequence[Block], between: str) -> Markup:
    """Write an article's body; ``between`` comes after its first block."""
    style = _STYLES.get(article.template, BodyStyle())
    if article.breaks:
        lines = [_INDENT + inline_html(block.text) for block in blocks]
        return _trusted("<br>\n<br>\n".join(lines[:1] + [between] * bool(between) + lines[1:]))
    rendered = [render_block(block, style) for block in blocks]
    return _trusted("\n".join(rendered[:1] + [between] * bool(between) + rendered[1:]))


def _make_slot(site: Site, article: Article) -> Callable[[str], Markup]:
    def slot(place: str) -> Markup:
        names = [name for where, name in article.inserts if where == place]
        return _trusted("\n".join(site.inserts[name].html for name in names))

    return slot


def _no_slot(place: str) -> str:
    del place
    return ""


def _short_date(date: str) -> str:
    """Write a date as the old templates do: ``2012/1/17 17:23:10``."""
    day, _, time = date.partition(" ")
    year, month, day_of_month = day.split("-")
    return f"{year}/{int(month)}/{int(day_of_month)} {time}"


def _page_title(site: Site, article: Article) -> Markup:
    titles = [t for _, name in article.inserts if (t := site.inserts[name].title)]
    return _trusted(titles[0]) if titles else escape(f"{article.headline}-{SITE_NAME}")


def _frame_values(site: Site, article: Article | None = None) -> dict[str, Any]:
    return {
        "channels": site.channels,
        "slot": _make_slot(site, article) if article else _no_slot,
        "content_id": article.id if article else 0,
        "meta_charset": _declared_charset(article) if article else "utf-8",
    }


def _declared_charset(article: Article) -> str:
    if article.declared == "wrong":
        return "gb2312" if article.charset == "utf-8" else "utf-8"
    return article.charset if article.declared == "meta" else ""


def render_article(site: Site, article: Article, number: int = 1) -> str:
    """Write one page of an article, its inserts and its damage included."""
    parts = article.parts
    slot = _make_slot(site, article)
    pager = [
        {"number": n, "path": article.part_path(n), "active": n == number}
        for n in range(1, len(parts) + 1)
    ]
    html = render_template(
        article.template,
        article=article,
        channel=site.find_channel(article.channel),
        body=render_body(article, parts[number - 1], slot("between") if number == 1 else ""),
        pager=pager,
        next_part=article.part_path(number + 1) if number < len(parts) else "",
        is_last_part=number == len(parts),
        related=_find_related(site, article),
        short_date=_short_date(article.date),
        page_title=_page_title(site, article),
        video=article.video,
        host="http://www.hxw.gov.cn",
        **_frame_values(site, article),
    )
    return _damage(site, article, html)


def _damage(site: Site, article: Article, html: str) -> str:
    """Damage the page before the inserts: kits add their links in Simplified afterwards."""
    if not article.damage:
        return html
    inserted = [site.inserts[name].html for _, name in article.inserts if site.inserts[name].html]
    for index, text in enumerate(inserted):
        html = html.replace(text, f"<!--insert {index}-->")
    html = damage_html(html, article.damage, article.id, captured=article.captured)
    for index, text in enumerate(inserted):
        html = html.replace(f"<!--insert {index}-->", text)
    return html


def _find_related(site: Site, article: Article) -> list[Article]:
    """The articles before it in its channel: old ones, so that a page does not change by itself."""
    if site.find_channel(article.channel).is_hidden:
        return []
    older = [a for a in site.list_articles(article.channel) if a.date < article.date]
    return [a for a in older if a.states == (1, 2) and not a.second][:_RELATED_COUNT]


def render_mobile(article: Article) -> str:
    return render_template("mobile", article=article, body=render_body(article, article.blocks, ""))


def render_list(site: Site, channel: Channel, number: int, items: Sequence[Article]) -> str:
    """Write page ``number`` of a channel."""
    total = max(1, -(-len(items) // PAGE_SIZE))
    pages = [
        {
            "number": n,
            "path": f"/channel/{channel.id}{f'_{n}' if n > 1 else ''}.html",
            "active": n == number,
        }
        for n in range(1, total + 1)
    ]
    shown = items[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    values = {"channel": channel, "items": shown, "pages": pages}
    return render_template("list", **values, **_frame_values(site))


def render_topic(site: Site, topic: Topic) -> str:
    blocks = parse_parts(topic.body)[0]
    body = _trusted("\n".join(render_block(block, BodyStyle()) for block in blocks))
    return render_template("topic", topic=topic, body=body, **_frame_values(site))


def render_home(site: Site) -> str:
    groups = [
        {"channel": channel, "items": site.list_articles(channel.key)[:6]}
        for channel in site.channels
        if channel.style != "script" and not channel.is_hidden
    ]
    return render_template("home", topics=site.topics, groups=groups, **_frame_values(site))


def render_sitemap(www: str, articles: Iterable[Article]) -> str:
    urls = (
        f"<url><loc>{www}{a.path}</loc><lastmod>{a.date[:10]}</lastmod></url>" for a in articles
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(urls)
        + "\n</urlset>\n"
    )


def render_feed(www: str, articles: Iterable[Article]) -> str:
    items = (
        f"<item><title>{escape(a.headline)}</title><link>{www}{a.path}</link></item>"
        for a in articles
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{SITE_NAME}</title><link>{www}/</link>\n"
        + "\n".join(items)
        + "\n</channel></rss>\n"
    )

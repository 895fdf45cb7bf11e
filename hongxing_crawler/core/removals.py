"""What was left out of the article, written down with the signs that spoke against it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from hongxing_crawler.core.addresses import host_of, site_of
from hongxing_crawler.core.edits import RemovedBlock

if TYPE_CHECKING:
    from collections.abc import Callable

    from hongxing_crawler.core.blocks import Block, Line, Outline
    from hongxing_crawler.core.spam_links import LinkRun

_MAX_BLOCKS = 200
_MAX_TEXT = 4_000
_MAX_LINKS = 100
_LEAST_SITES = 3  # what a run of links must lead to, to be an injected one


def describe_dropped(
    outline: Outline, dropped: list[tuple[int, str]], absolute: Callable[[str], str]
) -> tuple[RemovedBlock, ...]:
    """Describe dropped lines; neighbours that one rule took are one block."""
    blocks = []
    for _, group in groupby(
        enumerate(dropped), key=lambda item: (item[1][1], item[1][0] - item[0])
    ):
        numbers = [entry for _, entry in group]
        blocks.append(
            _block(numbers[0][1], [outline.lines[number] for number, _ in numbers], absolute)
        )
        if len(blocks) >= _MAX_BLOCKS:
            break
    return tuple(blocks)


def describe_runs(
    outline: Outline, runs: list[LinkRun], absolute: Callable[[str], str], url: str
) -> tuple[RemovedBlock, ...]:
    """Describe the runs of links that were cut out of sentences; own links are no spam."""
    home = site_of(host_of(url))
    blocks = []
    for run in runs[:_MAX_BLOCKS]:
        links = tuple(dict.fromkeys(filter(None, (absolute(href) for href in run.hrefs))))[
            :_MAX_LINKS
        ]
        hosts = [host_of(link) for link in links]
        sites = set(map(site_of, hosts)) - {home}
        rule = "spam.link_run" if len(sites) >= _LEAST_SITES else "page.link_list"
        signs = (f"links={len(run.hrefs)}", f"hosts={len(set(hosts))}")
        path = path_of(outline.lines[run.line].block)
        blocks.append(RemovedBlock(rule, path, run.text[:_MAX_TEXT], links, signs))
    return tuple(blocks)


def _block(rule: str, lines: list[Line], absolute: Callable[[str], str]) -> RemovedBlock:
    links = [absolute(href) for line in lines for _, _, href in line.links]
    links = list(dict.fromkeys(filter(None, links)))[:_MAX_LINKS]
    text = "\n".join(line.plain for line in lines)[:_MAX_TEXT]
    return RemovedBlock(rule, path_of(lines[0].block), text, tuple(links), _evidence(lines, links))


def _evidence(lines: list[Line], links: list[str]) -> tuple[str, ...]:
    chars = sum(len(line.text) for line in lines)
    linked = sum(line.link_chars for line in lines)
    signs = [f"lines={len(lines)}", f"link_share={linked / chars:.2f}" if chars else "link_share=0"]
    if links:
        signs.append(f"hosts={len({host_of(link) for link in links})}")
    hidden = next((line.block.hidden for line in lines if line.block.hidden), "")
    if hidden:
        signs.append(f"hidden={hidden}")
    return tuple(signs)


def path_of(block: Block) -> str:
    """Return a CSS-like path of the box and its three nearest ancestors."""
    names: list[str] = []
    current: Block | None = block
    while current is not None and len(names) < 4 and current.tag not in {"body", "html"}:
        word = str(current.attrs.get("id") or "")[:60]
        classes = current.attrs.get("class") or ()
        names.append(
            current.tag + (f"#{word}" if word else "") + (f".{classes[0][:60]}" if classes else "")
        )
        current = current.parent
    return ">".join(reversed(names)) or "body"

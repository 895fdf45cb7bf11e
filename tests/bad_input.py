"""Hostile pages by name, each as long as asked for: what the core must answer in bounded time.

``python tests/bad_input.py SCALE`` reads all of them one after the other, and prints CPU seconds of
each and the peak of memory in megabytes as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from hongxing_crawler.core.clean import clean_page

_P = "<p>会议指出，要扎实做好各项工作。</p>"
_BYTES = random.Random(20261123).randbytes(1 << 20)

# name -> (what is repeated, how long at full scale in bytes, what stands before and behind)
_BAITS: dict[str, tuple[bytes | str, int, str, str]] = {
    "50 MB of prose": (_P, 50_000_000, "", ""),
    "50 MB of noise": (_BYTES, 50_000_000, "", ""),
    "50 MB of <": ("<", 50_000_000, "", ""),
    "50 MB in one line": ("会议召开，", 50_000_000, "<p>", ""),
    "50 MB of links": ('<a href="http://x.cc/">x</a>', 50_000_000, "", ""),
    "zeros": ("\0", 1_000_000, "", ""),
    "nested div": ("<div>", 500_000, "", "会议"),
    "nested table": ("<table><tr><td>", 1_500_000, "", "会议"),
    "nested lists": ("<ul><li>", 800_000, "", "会议"),
    "nested links": ("<a href=x>", 1_000_000, "", "会议"),
    "nested hidden boxes": ('<div style="display:none">x', 1_350_000, "", ""),
    "nested templates": ("<template>", 1_000_000, "", ""),
    "bars": ("|", 1_000_000, "<p>", "</p>"),
    "names between bars": ("凉山| ", 3_000_000, "<p>", "</p>"),
    "attributes": ("a=b ", 2_000_000, "<div ", ">"),
    "one long attribute": ("x", 3_000_000, '<div class="', '">'),
    "entities": ("&#20013;&amp;", 3_000_000, "", ""),
    "open comments": ("<!--", 2_000_000, "", ""),
    "style rules": (".a{display:none}", 2_000_000, "<style>", "</style>" + _P),
    "style braces": ("{", 2_000_000, "<style>", "</style>" + _P),
    "scripts that hide": (
        '<script>document.write("<div style=display:none>")</script>',
        2_000_000,
        "",
        _P,
    ),
    "lines of links": ('<p><a href="/1.html">会</a></p>', 3_000_000, "", ""),
    "pictures": ("<img src=x.jpg>", 3_000_000, "", ""),
    "breaks": ("<br>", 3_000_000, "", ""),
    "table rows": ("<tr><td>a</td><td>b</td></tr>", 3_000_000, "<table>", "</table>"),
    "white space": (" \t\n", 3_000_000, "<p>", "</p>"),
    "wide space": ("\u3000", 3_000_000, "<p>", "</p>"),
    "dates": ("<p>2020年3月20日 16:56</p>", 3_000_000, "", ""),
    "sources": ("来源：", 2_000_000, "<p>", "</p>"),
    "brackets": ("（(", 2_000_000, "<p>", "</p>"),
    "glosses": ("長(cháng)江(jiāng)", 2_000_000, "<p>", "</p>"),
    "question marks": ("?", 1_000_000, "<p>", "</p>"),
    "kit noise": ("会\x05\x06，", 2_500_000, "<p>", "</p>"),
    "kit boxes": ('<div class="pl_css_ganrao">', 2_000_000, "", ""),
    "headings": ("<h1>会议召开</h1>", 2_000_000, "", ""),
    "titles": ("会议_", 2_000_000, "<title>", "</title>"),
    "dots in an address": ("/../", 1_000_000, '<a href="', '">x</a>'),
    "impossible addresses": ('<a href="http://[::1">x</a>', 1_500_000, "", ""),
    "offers": ("代开发票，加微信，", 2_500_000, "<p>", "</p>"),
    "sentences of offers": ("代开发票加微信您。", 2_500_000, "<p>", "</p>"),
    "foreign offers": ("online casino bonus ", 2_000_000, "<p>", "</p>"),
    "ends of documents": ("</html>", 2_000_000, "", ""),
    "behind the end": ("贷款<", 190_000, _P * 9_000 + "</html>", ""),
    "controls": (bytes(range(32)), 2_000_000, "<p>会议", "</p>"),
    "lone surrogates": (b"\xed\xa0\x80\xed\xbf\xbf", 1_500_000, "<p>会议", "</p>"),
    "no characters": ("\ufffe\uffff\U0010ffff\u202e\u200b", 1_500_000, "<p>会议", "</p>"),
    "accents": ("\u0301", 2_000_000, "<p>会", "</p>"),
    "torn lead bytes": (b"\x81", 1_000_000, "", ""),
    "pagers": ('<a href="1_2.html">2</a> ', 2_000_000, "", ""),
}
NAMES = tuple(_BAITS)


def make(name: str, scale: float = 1.0) -> bytes:
    unit, size, before, behind = _BAITS[name]
    piece = unit.encode() if isinstance(unit, str) else unit
    body = piece * max(1, int(size * scale / len(piece)))
    return before.encode() + body + behind.encode()


def main() -> None:
    times = {}
    for name in NAMES:
        html = make(name, float(sys.argv[1]))
        start = time.process_time()
        clean_page(html, "http://www.a.gov.cn/1.html")
        times[name] = round(time.process_time() - start, 3)
    # Not getrusage: what it says of a child includes the memory of the parent that forked it.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    sys.stdout.write(json.dumps({"seconds": times, "peak_mb": peak}, ensure_ascii=False))


if __name__ == "__main__":
    main()

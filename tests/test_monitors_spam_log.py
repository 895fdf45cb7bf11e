from hongxing_crawler.core.edits import RemovedBlock
from hongxing_crawler.monitors.spam_log import SpamLog, decode_spam, encode_spam, first_seen

PAGE_1, PAGE_2 = "https://www.hxw.gov.cn/1", "https://www.hxw.gov.cn/2"
MORNING, EVENING = "2026-11-23T08:00:00Z", "2026-11-23T18:00:00Z"


def _block(*links, rule="spam.link_wheel", text="湘西|凉山|"):
    return RemovedBlock(rule, "div", text, links)


def test_hosts_are_counted_by_page():
    log = SpamLog()
    log.add(PAGE_2, EVENING, [_block("http://a.example/1", "http://a.example:80/2")])
    log.add(
        PAGE_1, MORNING, [_block("http://a.example/3"), _block("http://b.example/", rule="spam.x")]
    )
    first, second = log.hosts()

    assert (first.host, first.page_count, first.link_count) == ("a.example", 2, 3)
    assert (first.pages, first.first_seen_at) == ((PAGE_1, PAGE_2), MORNING)
    assert [(a.text, a.page_count, a.first_seen_at) for a in first.anchors] == [
        ("凉山", 2, MORNING),
        ("湘西", 2, MORNING),
    ]
    assert (second.host, second.rules) == ("b.example", ("spam.x",))
    assert log.page_count == 2


def test_the_order_of_pages_does_not_matter():
    entries = [(PAGE_1, MORNING, [_block("http://a.example/")]), (PAGE_2, EVENING, [_block()])]
    forward, backward = SpamLog(), SpamLog()
    for entry in entries:
        forward.add(*entry)
    for entry in reversed(entries):
        backward.add(*entry)

    assert forward.hosts() == backward.hosts()


def test_the_sites_own_furniture_is_no_spam():
    log = SpamLog()
    log.add(PAGE_1, MORNING, [_block("http://www.people.com.cn/", rule="footer.owner")])

    assert log.hosts() == []
    assert log.page_count == 0


def test_injected_text_without_links_has_no_host():
    log = SpamLog()
    log.add(PAGE_1, MORNING, [_block(text="加微信领取彩金")])

    assert [(host.host, host.link_count) for host in log.hosts()] == [("", 0)]


def test_links_that_are_no_addresses_are_kept_without_host():
    log = SpamLog()
    log.add(PAGE_1, MORNING, [_block("http://[broken", "javascript:void(0)")])

    assert [(host.host, host.link_count) for host in log.hosts()] == [("", 2)]


def test_a_host_known_to_an_earlier_run_keeps_its_first_day():
    log = SpamLog()
    log.add(PAGE_1, EVENING, [_block("http://a.example/"), _block("http://b.example/")])
    earlier = decode_spam(encode_spam(log.hosts({("a.example", ""): MORNING})))
    known = first_seen([earlier])
    later = {host.host: host for host in log.hosts(known)}

    assert [host.is_new for host in earlier] == [False, True]
    assert known[("a.example", "")] == MORNING
    assert known[("b.example", "")] == known[("b.example", "湘西")] == EVENING
    assert not later["b.example"].is_new


def test_each_host_has_its_own_anchors_when_texts_and_links_pair():
    log = SpamLog()
    log.add(PAGE_1, MORNING, [_block("http://a.example/", "http://b.example/")])
    first, second = log.hosts()

    assert [anchor.text for anchor in first.anchors] == ["湘西"]
    assert [anchor.text for anchor in second.anchors] == ["凉山"]


def test_an_anchor_keeps_its_first_day_over_runs():
    morning, evening = SpamLog(), SpamLog()
    morning.add(PAGE_1, MORNING, [_block("http://a.example/", text="湘西")])
    evening.add(PAGE_2, EVENING, [_block("http://a.example/", text="湘西|凉山")])
    (host,) = evening.hosts(first_seen([morning.hosts()]))

    assert {anchor.text: anchor.first_seen_at for anchor in host.anchors} == {
        "湘西": MORNING,
        "凉山": EVENING,
    }


def test_links_to_the_site_itself_advertise_nobody():
    log = SpamLog()
    log.add(PAGE_1, MORNING, [_block("https://www.hxw.gov.cn/x1", "http://a.example/")])

    assert [host.host for host in log.hosts()] == ["a.example"]

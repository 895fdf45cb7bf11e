"""Advertising sentences among the sentences of news: who sells what to whom, and in which style.

An advertisement names a trade, calls the reader or promises something, and speaks for a seller;
news about the same trade reports. No word decides alone, and what the rest of the page speaks of
is never foreign to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.core.advertising_foreign import (
    FOREIGN_RUN_RE,
    HAN_RE,
    KANA_RE,
    is_chinese,
    is_foreign,
    is_foreign_advertising,
    names_foreign_trade,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Trades that buy links on other people's pages, each as word forms rather than names of firms.
_TRADES = (
    # gambling
    r"娱乐(?:平台|城|场|网|官网)|博彩|赌(?:场|球|盘|博网|博平台|钱平台)|投注|百家乐|老虎机|六合(?:彩|图库)|陆合彩|时时彩|棋牌|"
    r"真人(?:视讯|娱乐|荷官|百家)|现金网|彩票|体育(?:竞猜|盘口|竞彩)|足球(?:竞猜|盘口|竞彩)|篮球(?:竞猜|盘口|竞彩)|北京赛车|极速赛车|幸运飞艇|龙虎斗|抢庄|"
    r"牛牛|电子游艺|葡京|威尼斯人|皇冠体育|太阳城|金沙国际|永利|外围(?:女|投)|滚球|"
    # money
    r"无抵押贷|免抵押贷|黑户.{0,2}贷|身份证贷|小额贷|私人(?:贷款|借款|放款)|急速(?:贷|放)款|大额(?:贷|借|下)款|空放|套现|网贷|下款|私贷|"
    r"信用卡(?:代还|提额)|不看征信|配资|荐股|牛股|炒(?:币|汇)|虚拟币|数字货币|加密货币|交易所|合约跟单|挖矿|USDT|返佣|理财平台|"
    # vice
    r"约炮|裸聊|包养|伴游|援交|学生妹|商务模特|楼凤|嫩模|外围女|私人会所|"
    r"同城(?:约会|交友|约)|高端(?:约会|伴游|商务)|上门(?:服务|按摩|特服)|全套服务|成人(?:视频|影院|影片|网|电影|用品)|激情视频|情色|无码|偷拍|看片|色情|三级片|"
    # papers
    r"代开.{0,6}(?:发票|税票)|开具.{0,6}(?:发票|税票)|出售.{0,6}(?:发票|税票)|发票(?:代开|办理)|办证|刻章|假证|毕业证.{0,2}(?:办|购|出售)|"
    r"学历.{0,2}(?:代办|提升|购买)|文凭.{0,2}(?:办|购|出售)|资格证.{0,2}(?:代办|购买|出售)|驾驶证.{0,2}(?:代办|购买)|代考|论文代写|代写论文|"
    # promotion
    r"泛目录|站群|快速排名|外链|蜘蛛池|权重提升|霸屏|关键词(?:优化|排名)|网站(?:优化|收录|排名)|刷(?:单|粉|流量|钻|赞)|黑帽|"
    r"百度(?:优化|排名|推广)|搜索(?:优化|排名|推广)|软文(?:发布|代发)|新闻源发布|"
    # cures
    r"白癜风|牛皮癣|男科|无痛人流|前列腺|壮阳|丰胸|癫痫|性病|早泄|阳痿|祖传秘方|减肥(?:茶|药|胶囊)|增高|祛斑|妇科炎症|偏方|特效药|"
    r"根治|治愈率|老中医|迷药|催情|听话水|"
    # games and goods
    r"私服|变态(?:手游|传奇)|公益服|元宝服|开服|外挂|代练|破解版|高仿|A货|精仿|窃听器|复制手机卡"
)
_CALLS = (
    r"注册|开户|下载|点击|点此|加(?:我)?(?:微信|薇|Q|V|群|入)|添加|微信|同号|联系(?:我们|人|方式|电话|QQ)|来电|咨询|预约|欢迎|快来|立即|"
    r"立刻|马上|赶紧|赶快|领取|收藏|订购|选购|购买|下单|网址|官网|官方网站|入口|客服|热线|体验|参与|首选|推荐|详谈|索取|登录"
)
_PROMISES = (
    r"彩金|体验金|首存|首充|首次充值|返[利水现]|提款|出款|秒到|到账|放款|百分之(?:百|九十)|[百1]00?%|零风险|稳赚|包赢|赢钱|赚钱|日入|"
    r"无效退款|全额退款|退款|无需担保|利息低|当[天日]|随叫随到|真实照片|可验|安全(?:可靠|稳定)|见效|不反弹|不复发|货到付款|"
    r"先.{1,4}后付|全国各地|均可(?:办理|在线)?|24小时|二十四小时|全天|一对一|免费|权威认证|信誉|优惠|低价|高清|海量|永久|极速|应有尽有|"
    r"任您|诚信|正规|即送|[赠免]送|送(?:满级|元宝|礼|盲盒|VIP|[一百0-9]{1,4}元?)|大礼包|礼包|奖励|盲盒|厂家直销|快递|纯中药|最新(?:版|技术|地址)|共同选择|耐玩"
)
# Who speaks: a seller, to you.
_SELLER = (
    r"您|你|亲们|老板|朋友(?:们)?|玩家|客户|本(?:公司|站|院|店|平台|所|社|号)|我(?:们|司|公司|院|店)|厂家|QQ|扣扣|微信|薇信|同号|飞机号|"
    r"[Tt]elegram|[Ww]hats[Aa]pp"
)
# Who reports: police, courts, reporters, offices; and what they say of such trades.
_REPORT_RE = re.compile(
    r"警方|公安|民警|派出所|法院|检察|法官|纪委|税务(?:局|机关|部门)|监管|查[处获封办]|捣毁|抓获|破获|涉案|涉嫌|嫌疑|犯罪|诈骗|骗[局子取]|被骗|受骗|"
    r"违[法规纪]|非法|严禁|禁止|打击|整治|取缔|举报|通报|警惕|警示|提醒|谨防|切勿|不要|据(?:悉|介绍|了解|统计)|记者|表示|指出|强调|介绍|"
    r"会议|日(?:前|上午|下午|电|讯)|条例|办法|判[处决]|公益金|宣传|普法|课题|患者|临床|门诊|科普"
)
# A sentence; what stands in brackets after one, as names of reporters do, is one of its own.
_SENTENCE_RE = re.compile(
    r"\s{0,9}[（(【\[][^（）()【】\[\]]{1,40}[)）】\]]|[^。！？!?；\n]*(?:[。！？!?；]+[”’」』]*|$)"
)
_LEAST_SIGNS = 3
_MANY_TRADES = 2
_MANY_CALLS = 5
_LEANING_CALLS = 2
_LONGEST_LEAD = 12  # a question before the offer
_REST_SHARE = 0.25

_TRADE_RE = re.compile(_TRADES)
# One search that nearly all bodies fail, by literals whose first characters are rare in news; an
# advertisement without any of them is missed.
_HINT_RE = re.compile(
    "娱乐[平城场网官]|博彩|赌[场球盘博钱]|投注|百家乐|老虎机|六合[彩图]|彩票|彩开奖|棋牌|真人[视娱荷百棋]|赛车|幸运飞艇|龙虎斗|抢庄|牛牛|葡京|威尼斯|皇冠|"
    "太阳城|永利|滚球|抵押贷|贷款|身份证贷|私人[贷借放会]|急速[贷放]|空放|套现|网贷|款口子|征信|配资|荐股|牛股|炒[币汇]|虚拟[币货]|数字货币|币交易|跟单|"
    "挖矿|USDT|返佣|约炮|约会|裸聊|包养|伴游|援交|模特|楼凤|嫩模|私人会所|门按摩|激情视|情色|无码|偷拍|色情|影院在线|票代开|代开|办证|刻章|假证|"
    "毕业证|历提升|文凭|代考|论文代|泛目录|站群|快速排名|链代发|蜘蛛池|霸屏|键词排|键词优|黑帽|排名优化|刷[单粉流钻赞]|软文|癜风|皮癣|男科|痛人流|"
    "腺炎|壮阳|丰胸|癫痫|早泄|阳痿|祖传|减肥|祛斑|偏方|特效药|根治|治愈率|老中医|迷药|催情|私服|态手游|宝服|益服|外挂|破解版|仿手表|精仿|窃听"
)
_CALL_RE = re.compile(_CALLS)
_PROMISE_RE = re.compile(_PROMISES)
_SELLER_RE = re.compile(_SELLER)


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for an advertisement in a passage: different words of each kind."""

    trades: frozenset[str]
    calls: int
    is_sold: bool
    is_report: bool

    @property
    def is_advertising(self) -> bool:
        if not self.trades or self.is_report or self.calls < _LEAST_SIGNS:
            return False
        return self.is_sold or len(self.trades) >= _MANY_TRADES or self.calls >= _MANY_CALLS


def find_signs(text: str) -> Signs:
    """Weigh a passage.

    >>> find_signs("急用钱找本公司，身份证贷款，当天放款，欢迎来电咨询。").is_advertising
    True
    >>> find_signs("民警提醒，“身份证贷款、当天放款、欢迎来电咨询”是诈骗。").is_advertising
    False
    """
    calls = set(_CALL_RE.findall(text)) | set(_PROMISE_RE.findall(text))
    return Signs(
        trades=frozenset(_TRADE_RE.findall(text)),
        calls=len(calls),
        is_sold=_SELLER_RE.search(text) is not None,
        is_report=_REPORT_RE.search(text) is not None,
    )


def is_advertising(text: str) -> bool:
    """Recognise an advertising passage, in Chinese or in another language.

    >>> is_advertising("想要稳赚不赔？请加客服微信领取彩票计划，线上投注全天开放。")
    True
    >>> is_advertising("警方捣毁一个网络赌博团伙，查明投注金额2亿元，彩票站三处。")
    False
    """
    return find_signs(text).is_advertising or is_foreign_advertising(text)


def find_advertising(text: str) -> list[tuple[int, int]]:
    r"""Find advertising passages in a body: whole paragraphs, or sentences in a row inside one.

    What the other paragraphs speak of is the page's own topic and stays; so does a page that is
    mostly such passages.

    >>> find_advertising("会议召开。\n\n本公司代开发票，先开票后付款，欢迎来电咨询，加微信详谈。")
    []
    """
    suspects = [match.start() for match in _HINT_RE.finditer(text)]
    if suspects or _may_be_foreign(text):
        suspects += [match.start() for match in FOREIGN_RUN_RE.finditer(text)]
    if not suspects:
        return []
    found = []
    for start, end in _paragraphs_at(text, sorted(suspects)):
        found += [(start + a, start + b) for a, b in _passages(text[start:end])]
    rest = _without(text, found)
    others = sum(bool(line.strip()) for line in rest.split("\n"))
    if len(rest.strip()) * 2 < len(text.strip()) and others <= len(found):
        return []
    return [(start, end) for start, end in found if not _is_topic(text[start:end], rest)]


def _may_be_foreign(text: str) -> bool:
    """Tell whether another language may sell on a Chinese page: no trade, no advertisement."""
    return (
        FOREIGN_RUN_RE.search(text) is not None
        and HAN_RE.search(text) is not None
        and (_TRADE_RE.search(text) is not None or names_foreign_trade(text))
    )


def _paragraphs_at(text: str, places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the lines that hold these places, each once."""
    done = -1
    for place in places:
        if place >= done:
            end = text.find("\n", place)
            done = len(text) if end < 0 else end
            yield text.rfind("\n", 0, place) + 1, done


def _passages(paragraph: str) -> Iterator[tuple[int, int]]:
    """Yield the advertising ranges of one paragraph; all of it when little else is in it."""
    spans = [match.span() for match in _SENTENCE_RE.finditer(paragraph) if match[0].strip()]
    found: list[tuple[int, int]] = []
    run: list[tuple[int, int]] = []
    for span in [*spans, (len(paragraph), len(paragraph))]:
        if span[0] < span[1] and _leans(paragraph[span[0] : span[1]]):
            run.append(span)
            continue
        if run and is_advertising(paragraph[run[0][0] : run[-1][1]]):
            found.append((run[0][0], run[-1][1]))
        is_lead = paragraph[span[0] : span[1]].rstrip().endswith(("？", "?"))
        run = [span] if is_lead and span[1] - span[0] <= _LONGEST_LEAD else []
    rest = _without(paragraph, found)
    is_whole = len(rest) <= _REST_SHARE * len(paragraph) and "（" not in rest and "(" not in rest
    if found and is_whole and not _REPORT_RE.search(rest):
        found = [(0, len(paragraph))]
    yield from found


def _leans(sentence: str) -> bool:
    """Tell whether a sentence may be a part of an advertisement."""
    signs = find_signs(sentence)
    if signs.is_report:
        return False
    return (
        bool(signs.trades)
        or signs.calls >= _LEANING_CALLS
        or is_foreign(sentence)
        or KANA_RE.search(sentence) is not None
    )


def may_advertise(text: str) -> bool:
    """Tell at once whether a text names a trade at all; most do not."""
    return _HINT_RE.search(text) is not None


def _without(text: str, ranges: Sequence[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in ranges:
        parts.append(text[done:start])
        done = end
    return "".join([*parts, text[done:]])


def _is_topic(passage: str, rest: str) -> bool:
    """Tell whether the rest of a body speaks of the trade, or another language, as well."""
    trades = find_signs(passage).trades
    if trades:
        return any(trade in rest for trade in trades)
    return not is_chinese(rest) or names_foreign_trade(rest)

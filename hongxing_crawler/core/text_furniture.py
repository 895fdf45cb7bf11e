"""Lines that pages put around articles: tools, credits, marks after which nothing is said."""

from __future__ import annotations

import re

_LONGEST_FURNITURE = 120
_LEAST_PARTS = 2
_LONGEST_DATE_LINE = 40
_BRACKET_RE = re.compile(r"[\]】][\s|]*[\[【]")
_FURNITURE_RE = re.compile(
    r"""^[\s\[【(（<《>|·»•◆■●▲'"]*(?:
      (?:加入)?(?:分享|轉寄|转发|转帖|轉貼|收藏|打印|列印|推荐|推薦|关闭|關閉|复制|收听|朗读|写进博客|发起话题|告诉好友|纠错)
        (?:到|至|给|本页|本頁|此页|此文|窗口|视窗|視窗|好友|正文|本文|全文|文章|链接|按钮)?.{0,40}
    | 字[号號体體级級](?:設定|设置|大小)?\s?[:：]?
        (?:[大中小特超加减T+\-|\s\[\]【】()（）]|preset|预设)*
    | (?:[大中小]\s?[|/]?\s?){2,3}
    | (?:[我发發]?[要来]?|[发發]表)(?:评论|評論|留言|参与|回应|回應|发表|發表|报错|纠错|投稿|顶|踩)
        (?:\s?[(（]?\d*[)）]?(?:条|條)?)
    | (?:上一[篇页頁则則条條]|下一[篇页頁则則条條]|前一[篇页]|后一[篇页])[:：]?.{0,60}
    | (?:返回|回到|回|返)(?:首页|首頁|顶部|頂部|页首|目录|列表|上页|上一页|频道).{0,12}
    | 更多(?:精彩|内容|新闻|详细)?.{0,8}(?:>>|»).{0,4}
    | 更多[^。，！？]{0,60}(?:请|敬请|欢迎|就)(?:关注|登录|访问|点击|扫码)[^。]{0,40}
    | (?:安装|下载|打开|点击下载|扫码下载)[^。]{0,14}(?:客户端|APP|App|app)[^。]{0,40}
    | 第\s?\d+\s?[页頁]\s?[/／，,]?\s?共\s?\d+\s?[页頁].{0,20} | [*＊=＝_~～#＃+-]{5,}
    | (?:展开|收起|阅读|閱讀|查看|點閱)(?:全文|更多|剩余全文|原文)
    | \+1 | 新闻首页 | (?:高清)?[图圖]集
    | 点击.{0,10}(?:查看|进入|放大|浏览).{0,16} | 點下放大
    | \d{1,5}\s?(?:人|条|次)(?:参与|评论|阅读|浏览).{0,20}
    | 扫一扫.{0,20} | 二维码 | 微信扫.{0,20} | 手机看新闻.{0,20}
    | (?:文章)?标签[:：].{0,80} | (?:文章)?关键[词字][:：].{0,80} | 關鍵字[:：].{0,80}
    | T\s?\|\s?T | A\s?A | Tweet | Facebook | Twitter | 用户名.{0,20} | 正文 | 导读[:：]?
    | 广告 | 廣告 | 回顶部 | 加载中[.…]* | 正在加载.{0,6} | [\]\[]{1,2}
    | (?:(?:首页|上一页|下一页|尾页|末页|\d{1,3}+)  # possessive: one way to read each
        (?>[|\s<>»«]{1,5}+|(?<=页)|(?=[首上下尾末]))){3,40}+(?:\d{1,3})?
    )[\]】)）>\s|'"]*$""",
    re.VERBOSE,
)
# Credits that name who made the page; the facts keep what they say.
_CREDIT_RE = re.compile(
    r"""^[（(\[【\s]*(?:
      (?:责任编辑|責任編輯|责编|責編|编辑|編輯|本文来源|原标题|原題|审核|校对|监制|来源|稿源|信息来源|文章来源|作者)
        \s?[:：].{0,80}
    | [\u4e00-\u9fff·]{2,8}\s(?:编辑|编译|撰稿|編輯|編譯)
    | 文[/／╱][\u4e00-\u9fff·]{2,8}
    | [\u4e00-\u9fff、 ]{2,14}[/／╱][\u4e00-\u9fff]{1,6}(?:報導|报道|報道|报导)
    )[\s）)\]】]*$""",
    re.VERBOSE,
)
# The same below the last sentence, where nothing else is written like this.
_CLOSING_CREDIT_RE = re.compile(
    r"""^[（(\[【\s◎●▲■-]*(?:
      (?:[一二三初复复終终]审|值班(?:编辑|主任|总监|编委)|美编|版式|制作|统筹|策划|总策划|编审|终审|撰文|撰稿|供稿|统稿
        |通[讯訊][员員]|[记記]者|实习(?:生|记者)|[摄攝]影|制[图圖]|製圖|漫[画畫]|[图圖]片?|文[字图]?|[图圖]文|视频|视觉|设计|剪辑|模特[儿兒]
        |本文栏目|栏目|频道|出品|出品人|发布|责任?校对|校对|审签|签发|来源)
        \s?[/／╱|丨｜:：]\s?[\u4e00-\u9fff·、/／ \u3000A-Za-z:：|丨]{2,60}
    | [-—~*·]*\s?(?:END|End|end|完)\s?[-—~*·]* | 香港[时時][间間]\s?\d{1,2}[时時]\d{1,2}分
    | [\u4e00-\u9fff]{2,12}(?:[网網]|[报報]|社|中心|[频頻]道|客[户戶]端|[编編][辑輯]部)(?=[)）])
    | (?:摘自|[转轉]自|原[载載]|[选選]自|据|據)\s?[《〈「][^》〉」]{2,30}[》〉」].{0,12}
    )[\s）)\]】]*$""",
    re.VERBOSE,
)
# A notice begins like one and says what notices say.
_NOTICE_START_RE = re.compile(
    r"^[\W\d_]{0,6}(?:本[文网網站报報刊页頁]|凡|版[权權]|免[责責]|[声聲]明|[郑鄭]重|特[别別]|严正|嚴正|未[经經]|非經"
    r"|[转轉][载載]|如[需有因您涉]|所有|[图圖]片|文章|以上|内容|[网網]友|投稿)"
)
_NOTICE_RE = re.compile(
    r"版[权權][归歸属屬所]|(?:未[经經]|非經).{0,16}(?:不得|[严嚴]禁|禁止|请勿|請勿)|[转轉][载載].{0,12}(?:注明|註明)|[转轉][载載].{0,3}[请請須须](?:务必|務必)?(?:附|[标標]|[联聯][系繫]|保留|勿)|(?:[严嚴]禁|禁止|谢绝|謝絕|不得)[转轉][载載]"
    r"|(?:仅|僅|不)代表.{0,14}(?:[观觀]点|[观觀]點|意[见見]|看法|立[场場])|(?:[内內]容|作品).{0,4}[、和及]版[权權]|(?:免[责責]|版[权權]|侵[权權])(?:[声聲申]明)"
    r"|[赞讚]同其[观觀][点點]|侵[权權].{0,10}(?:[联聯][系繫係]|删除|刪除|必究)|不[构構]成.{0,8}建[议議]"
)
_LONGEST_NOTICE = 400
# After these nothing of the article follows but what is an article's by form.
_RELATED_RE = re.compile(
    r"""^[\s\[【(（<>|·»•◆■●▲]*(?:
      (?:相关|相關|延伸|推荐|推薦|更多|热门|熱門|往期|最新|猜你|编辑推荐|其他|其它)(?:的)?\s?[·]?\s?
        (?:新闻|新聞|阅读|閱讀|链接|鏈接|连结|文章|报道|報導|专题|主题|内容|热词搜索|搜索|推荐|喜欢|信息|资讯|博文|視頻|视频|图片|话题|产品|资料)
    | 看了(?:本文|又看) | 大家都在看 | 您可能(?:还)?(?:感兴趣|喜欢) | 延伸\s?·\s?推荐
    )""",
    re.VERBOSE,
)
_COMMENTS_RE = re.compile(
    r"""^[\s\[【(（<>|·»•◆■●▲]*(?:
      (?:网友|網友|最新|全部|精彩|热门)(?:评论|評論|留言|回应)
    | (?:发表|發表|我要|查看|全部|所有)?(?:评论|評論|留言|跟[贴帖])
        (?:\s?[(（]\d+[)）])?(?:读取中)?[\s:：.…]*$
    | .{0,6}(?:版权|版權)(?:与|與|及|和)?(?:免责|免責)?(?:声明|聲明)[:：]?$
    | (?:免责|免責|平台|特别)(?:声明|聲明)[:：]
    | 新聞討論$ | 發表文章$ | 匿名 | 验证码 | 请(?:您)?(?:登录|登入)后 | 登录后发表
    )""",
    re.VERBOSE,
)
_META_WORD_RE = re.compile(
    r"来源|來源|稿源|作者|编辑|編輯|字号|字號|字体|字體|记者|記者|发布|發布|浏览|瀏覽|点击|阅读|閱讀|评论|評論|分享|打印|责编|收藏|纠错|人气|出处|更新"
)
_DATE_RE = re.compile(r"(?:19|20)\d\d\s?[-/.年－]\s?\d{1,2}\s?[-/.月－]\s?\d{1,2}")
_STAMP_RE = re.compile(r"(?:19|20)\d\d\s?[-/.年].{0,24}\d{1,2}[:：]\d\d")
_ATTACHMENT_RE = re.compile(
    r"^\W{0,3}附[件表]|下载|\.(?:docx?|xlsx?|pdf|zip|rar|wps|pptx?|et|txt|csv|7z)(?:\W|$)",
    re.IGNORECASE,
)
_SIGNATURE_DATE_RE = re.compile(
    r"^[\s　]*(?:(?:19|20)\d\d\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?日"
    r"|[一二][〇○零一二三四五六七八九]{3}年.{1,3}月.{1,3}日)[\s　]*$"
)


def furniture_rule(text: str) -> str:
    """Name the rule by which a whole line is furniture, or "".

    >>> [furniture_rule(text) for text in ("[责任编辑：杨洁]", "打印本页", "记者打印了名单。")]
    ['page.credit', 'page.furniture', '']
    >>> furniture_rule("【字体：小 大】【发表评论】【加入收藏】【打印此文】【关闭窗口】")
    'page.furniture'
    """
    if len(text) > _LONGEST_FURNITURE:
        return ""
    if _CREDIT_RE.match(text):
        return "page.credit"
    if _FURNITURE_RE.match(text):
        return "page.furniture"
    return _rule_of_parts(text) if "】" in text[:-1] or "] [" in text or "][" in text else ""


def _rule_of_parts(text: str) -> str:
    """Judge a row of tools in brackets, as 【打印】【关闭】, by each of them."""
    parts = [part for part in _BRACKET_RE.split(text) if part.strip()]
    if len(parts) < _LEAST_PARTS:
        return ""
    rules = [furniture_rule(part) for part in parts]
    return max(rules) if all(rules) else ""


def closing_line_rule(text: str) -> str:
    """Name the rule by which a line below the last sentence is none of the article, or "".

    >>> closing_line_rule("一审：张三 二审：李四")
    'page.credit'
    >>> closing_line_rule("本文版权归某网所有，未经授权不得转载。")
    'page.notice'
    >>> closing_line_rule("未经授权使用我们的技术，就是侵权。")
    ''
    """
    if len(text) <= _LONGEST_FURNITURE and _CLOSING_CREDIT_RE.match(text):
        return "page.credit"
    if len(text) <= _LONGEST_NOTICE and _NOTICE_START_RE.match(text) and _NOTICE_RE.search(text):
        return "page.notice"
    return "page.meta_line" if is_meta_line(text) and _STAMP_RE.search(text) else ""


def is_related_mark(text: str) -> bool:
    return len(text) <= 60 and bool(_RELATED_RE.match(text))


def is_comments_mark(text: str) -> bool:
    return len(text) <= 60 and bool(_COMMENTS_RE.match(text))


def is_closing_mark(text: str) -> bool:
    return is_related_mark(text) or is_comments_mark(text)


def is_meta_line(text: str) -> bool:
    """Say whether a short line before the text gives date, source or tools."""
    return (
        len(text) <= _LONGEST_FURNITURE
        and "。" not in text
        and text[-1:] not in "？?！!"
        and bool(_DATE_RE.search(text) or _META_WORD_RE.search(text))
    )


def is_date_line(text: str) -> bool:
    """Say whether a short line holds a full date and is no sentence."""
    return len(text) <= _LONGEST_DATE_LINE and "。" not in text and bool(_DATE_RE.search(text))


def is_attachment_line(text: str) -> bool:
    return ("附" in text or "." in text or "下载" in text) and bool(_ATTACHMENT_RE.search(text))


def is_signature(text: str) -> bool:
    """Say whether a line is a date alone, as it stands under a notice."""
    return bool(_SIGNATURE_DATE_RE.match(text))

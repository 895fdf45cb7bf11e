"""Advertisements in the other languages in which links are sold, on pages in Chinese."""

from __future__ import annotations

import re

# One set of first characters, so that it runs over Chinese without stopping.
FOREIGN_RUN_RE = re.compile(
    r"[A-Za-z\u00c0-\u1fff\u3040-\u30ff\uac00-\ud7a3]"
    r"(?:(?<![\u3040-\u30ff])[^\u3400-\u9fff\n]{20}|(?<=[\u3040-\u30ff])[\u3040-\u30ff]{3})"
)
KANA_RE = re.compile(r"[\u3040-\u30ff]{3}")
_LATIN_TRADES = (
    r"casinos?|viagra|cialis|levitra|payday|loans?|slots?|poker|bett?ing|gambling|escorts?|"
    r"porn|replica|rolex|jerseys|forex|crypto|bitcoin|essays?|baccarat|roulette|jackpot|togel|gacor|judi|xxx"
)
_OTHER_TRADES = (
    r"казино|ставк[иа]|букмекер|займ|кредит|диплом|автомат|лотере|проститут|"
    r"nhà cái|đánh bạc|cá cược|game bài|xổ số|nổ hũ|kèo|bắn cá|tài xỉu|"
    r"カジノ|パチ|スロット|バカラ|出会い|副業|競馬|コピー品|สล็อต|บาคาร่า|คาสิโน|พนัน|카지노|토토|바카라|슬롯"
)
_TRADE_RE = re.compile(rf"\b(?:{_LATIN_TRADES})\b|{_OTHER_TRADES}", re.IGNORECASE)
# The same in folded text, anywhere in a word: without marks or case it runs by first characters.
_HINT_RE = re.compile(f"{_LATIN_TRADES}|{_OTHER_TRADES}")
_CALL_RE = re.compile(
    r"\b(?:click|visit|register|sign up|join|claim|win|bonus|free|buy|cheap|order|download|best|"
    r"now|today|you|your|discount|online|deposit)\b|бонус|сейчас|сайт|регистрац|деньг|бесплатн|выигр|онлайн|играй|"
    r"đăng ký|nạp|rút|tải|thưởng|ngay|uy tín|trực tuyến|"
    r"無料|登録|今すぐ|ボーナス|オンライン|最新|สมัคร|เครดิต|ฟรี|가입|무료|보너스",
    re.IGNORECASE,
)
HAN_RE = re.compile(r"[\u3400-\u9fff]")
_OTHER_LETTER_RE = re.compile(r"[^\W\d_\u3400-\u9fff]")
_LEAST_CHARS = 12
_FOREIGN_SHARE = 0.85
_HOME_SHARE = 0.5
_LEAST_SIGNS = 4


def is_foreign_advertising(text: str) -> bool:
    """Recognise an advertisement in another script than the page's Chinese.

    >>> is_foreign_advertising("Best online casino: register now and claim your free bonus!")
    True
    """
    if not (is_foreign(text) or KANA_RE.search(text)):
        return False
    trades = {word.lower() for word in _TRADE_RE.findall(text)}
    calls = {word.lower() for word in _CALL_RE.findall(text)}
    return bool(trades) and bool(calls) and len(trades) + len(calls) >= _LEAST_SIGNS


def names_foreign_trade(text: str) -> bool:
    """Tell whether a text names a trade in another language; most fail the first search."""
    folded = text.casefold().replace("\u0131", "i").replace("\u0307", "")
    return _HINT_RE.search(folded) is not None and _TRADE_RE.search(text) is not None


def is_foreign(text: str) -> bool:
    """Tell whether nearly all letters of a text are of another script."""
    letters = len(_OTHER_LETTER_RE.findall(text))
    return letters >= _LEAST_CHARS and letters >= _FOREIGN_SHARE * (
        letters + len(HAN_RE.findall(text))
    )


def is_chinese(text: str) -> bool:
    """Tell whether at least half of the letters of a text are Chinese characters."""
    han, letters = len(HAN_RE.findall(text)), len(_OTHER_LETTER_RE.findall(text))
    return han >= _HOME_SHARE * (han + letters)

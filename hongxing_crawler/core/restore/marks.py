"""Marks in running text: how frequent each is, which follow each other, which end a line.

Rough shares, estimated by hand for news; they only choose between readings.
"""

from __future__ import annotations

from typing import Final


def _weights(table: str) -> dict[str, float]:
    rows = (entry.rpartition("=") for entry in table.split())
    return {key: float(value) for key, _, value in rows}


# Part of all characters of a text.
MARKS: Final = _weights("""
，=0.05 。=0.028 、=0.015 “=0.006 ”=0.006 ：=0.004 ；=0.002 ？=0.0008
！=0.0008 《=0.002 》=0.002 （=0.002 ）=0.002 …=0.0005 —=0.0006
％=0.0003 ·=0.0005 【=0.0002 】=0.0002 「=0.0002 」=0.0002
""") | {"\u3000": 0.0002}

# Probability of the second mark after the first; other pairs are next to impossible.
MARK_PAIRS: Final = _weights("""
。”=0.15 ！”=0.2 ？”=0.2 ：“=0.35 ，“=0.03 。“=0.03 ”，=0.15 ”。=0.08
”、=0.05 、“=0.1 》、=0.1 、《=0.08 》，=0.1 》。=0.05 ）、=0.08 ）。=0.08
）；=0.04 ）：=0.02 ）”=0.01 ）》=0.02 ），=0.12 ……=0.5 ——=0.5 》（=0.06
”（=0.02 “《=0.01 《“=0.02 ”》=0.02 》”=0.01 …”=0.1 ：《=0.03 ，《=0.01
。《=0.005 。（=0.005 ；“=0.03 ）“=0.01 ）《=0.01 ，（=0.001 、（=0.001
”“=0.02 》《=0.05 ？！=0.02 ！！=0.05 ？？=0.02 ——“=0.02 —“=0.02 ％，=0.2
％。=0.08 ％、=0.05 。【=0.01 】。=0.02 。」=0.03 」，=0.1 」。=0.05 ：「=0.1
，「=0.01 ！」=0.05 ？」=0.05 】“=0.02 】，=0.03 …，=0.02 …。=0.01
""")
UNUSUAL_PAIR: Final = 2e-06

# Natural logarithms: a mark as the last character of a line.
AT_END: Final = _weights("""
。=-0.7 ”=-2.5 ！=-2.5 ？=-2.5 ：=-2.5 ；=-3.5 ）=-3 …=-3.5 ，=-8 、=-8
“=-12 《=-12 （=-12 》=-5 】=-3 【=-12 」=-3 「=-12
""")

"""Bar charts as numbers; the template ``charts.html`` draws them as SVG without any script."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 360, 140  # units of the drawing; it scales with the page
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 6, 10, 20
_LABELS_MAX = 7
_NICE = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; ``tone`` is a class of style.css."""

    x: float
    y: float
    width: float
    height: float
    tip: str
    tone: str = "bar"


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place, under a bar or beside an axis line."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing that is ready to be printed."""

    title: str
    bars: tuple[Bar, ...] = ()
    ticks: tuple[Mark, ...] = ()  # y is that of the axis line
    labels: tuple[Mark, ...] = ()
    width: int = field(default=WIDTH)
    height: int = field(default=HEIGHT)


def _top_of_axis(largest: float) -> float:
    """The next of 1, 2, 5, 10, 20 … that is not below the largest value."""
    power = 1.0
    while power * 10 < largest:
        power *= 10
    while power > largest > 1e-6:
        power /= 10
    return (
        next((n * power for n in _NICE if n * power >= largest), power) if largest > 1e-6 else 1.0
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"


def bar_chart(
    title: str, points: Sequence[tuple[str, float]], *, unit: str = "", tones: Sequence[str] = ()
) -> Chart:
    """Lay out one bar for each point, from left to right.

    Args:
        title: Stands above the chart.
        points: Label and value, not negative.
        unit: Put behind numbers, such as ``%`` or `` ms``.
        tones: Class of each bar; ``bar`` when left out.
    """
    if not points:
        return Chart(title)
    top = _top_of_axis(max(value for _, value in points))
    inner_width, inner_height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step = inner_width / len(points)
    gap = min(4.0, step / 4)
    floor = HEIGHT - _BOTTOM
    bars = []
    for i, (label, value) in enumerate(points):
        height = round(inner_height * value / top, 1)
        x = round(_LEFT + i * step + gap / 2, 1)
        tip = f"{label}: {_number(value)}{unit}"
        tone = tones[i] if i < len(tones) else "bar"
        bars.append(Bar(x, floor - height, round(step - gap, 1), height, tip, tone))
    ticks = [
        Mark(_LEFT - 4, round(floor - inner_height * share, 1), f"{_number(top * share)}{unit}")
        for share in (0, 0.5, 1)
    ]
    every = -(-len(points) // _LABELS_MAX)
    labels = [
        Mark(round(_LEFT + (i + 0.5) * step, 1), HEIGHT - 6, label)
        for i, (label, _) in enumerate(points)
        if i % every == 0
    ]
    return Chart(title, tuple(bars), tuple(ticks), tuple(labels))

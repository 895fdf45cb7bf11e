"""List the damage that ``bench/restore.py`` finds restored wrong, by the reason why.

Usage::

    python bench/restore_failures.py FOLDER [--pages 100] [--glosses 70] [--show 20]

For the first wrong run of each inexact paragraph: what was received, what is true, what was
chosen, and the rank of the truth among the hypotheses. The classes:

* ``eaten``: a character of ASCII is gone, and no neighbour tells which;
* ``absent``: the truth is not among the hypotheses; ``pruned`` when a wider beam finds it;
* ``ranked``: the truth is among them, but not the first;
* ``refused``: the truth is the first, and was not taken;
* ``elsewhere``: no run is to blame: script, glosses, plain text.
"""

# ruff: noqa: SLF001 - it looks into the search

from __future__ import annotations

import argparse
import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import restore as bench

from hongxing_crawler.core.restore import beam, damage, guesses, learn, restore, search


class Run(NamedTuple):
    """One damaged run, as the search left it."""

    line: str
    received: str
    context: str
    chosen: str
    start: int
    paths: list
    weighed: list


class Recorder:
    """Keep what the search finds, run by run."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._find = search.RunSearch.find_guesses
        self._span = damage._Repair._run_span
        self._weigh = damage._Repair._weigh_words
        recorder = self

        def find(self, start, context):
            recorder.paths = recorder._find(self, start, context)
            return recorder.paths

        def weigh(self, line, context, paths):
            recorder.weighed = recorder._weigh(self, line, context, paths)
            return recorder.weighed

        def span(self, search, start, context):
            recorder.paths, recorder.weighed = [], []
            found = recorder._span(self, search, start, context)
            end = found.end if found else start + 1
            chosen = found.true if found else search.line[start]
            recorder.runs.append(
                Run(
                    search.line,
                    search.line[start:end],
                    context,
                    chosen,
                    start,
                    recorder.paths,
                    recorder.weighed,
                )
            )
            return found

        search.RunSearch.find_guesses = find
        damage._Repair._weigh_words = weigh
        damage._Repair._run_span = span


def rank_of_truth(paths, context: str, form: str, view) -> int:
    """Rank of the first hypothesis that the truth continues, -1 without one."""
    for rank, path in enumerate(paths):
        if form.startswith(view(context[:-1] + path.out)):
            return rank
    return -1


def blame(runs: list[Run], form: str, view) -> Run | None:
    """The first run whose choice departs from the truth."""
    for run in runs:
        if not form.startswith(view(run.context)):
            return None
        if not form.startswith(view(run.context + run.chosen)):
            return run
    return None


def classify(run: Run | None, form: str, view, *, is_eaten: bool) -> tuple[str, int]:
    if run is None:
        return "elsewhere", -1
    rank = rank_of_truth(run.weighed, run.context, form, view)
    if rank == 0:
        return "refused", 0
    if rank > 0:
        return "ranked", rank
    if is_eaten and "\ufffd" in run.chosen:
        return "eaten", -1
    rank = rank_of_truth(run.paths, run.context, form, view)
    return ("cut off", rank) if rank >= 0 else ("absent", -1)


def describe(kind: str, rank: int, run: Run | None, form: str, view, restored) -> str:
    if run is None:
        return f"{kind}: {bench.describe(form, restored)}"
    at = len(view(run.context))
    lead = next((p for p in run.weighed if form.startswith(view(run.context[:-1] + p.out))), None)
    best = run.weighed[0] if run.weighed else None
    scores = f"{best.score:.1f} against {lead.score:.1f}" if best and lead else ""
    return (
        f"{kind} {rank} {scores}\n   after  {run.context[-12:]!r}"
        f"\n   received {run.received[:40]!r}"
        f"\n   true   {form[at : at + 24]!r}\n   chosen {run.chosen[:40]!r}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--glosses", type=int, default=70)
    parser.add_argument("--shown", default="live", choices=["live", "captured", "folded"])
    parser.add_argument("--habit", default="frequent")
    parser.add_argument("--quiet", action="store_true", help="without noise")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--wide", type=int, default=1, help="widen the beam so many times")
    options = parser.parse_args()
    script = bench.script_table()
    rows = [row for row in bench.read_pages(options.folder) if row.get("lang") == "zh-hans"]
    pages = rows[options.first :: options.step][: options.pages]
    widen(options.wide)
    view = {"live": str, "captured": bench.drop_controls, "folded": bench.fold}[options.shown]
    glosses = bench.gloss_table(
        [text for row in pages for text in bench.texts_of(row)],
        options.glosses,
        script,
        options.habit,
    )
    rng, recorder, counts, shown = random.Random(options.glosses), Recorder(), Counter(), []
    marks = [] if options.quiet else bench.MARKS
    for row in pages:
        texts = [text for text in bench.texts_of(row) if bench.is_clean(text, script)]
        forms = [text.translate(script) for text in texts]
        received = [view(bench.damage(form, glosses, marks, rng)) for form in forms]
        learnt = learn(received)
        for text, form, got in zip(texts, forms, received, strict=True):
            if len(text) < 20:
                continue
            recorder.runs.clear()
            restored = restore(got, learnt)
            is_cut = got.count("?") > view(form).count("?")
            counts["all"] += 1
            counts["cut"] += is_cut
            if restored.text == view(text):
                continue
            is_eaten = bench.eaten_count(form, glosses, marks, options.glosses) > 0
            run = blame(recorder.runs, view(form), view)
            kind, rank = classify(run, view(form), view, is_eaten=is_eaten)
            counts[kind] += 1
            counts["wrong proved"] += restored.verdict in {"proved", "clean"}
            shown.append((kind, describe(kind, rank, run, view(form), view, restored)))
    for _, text in sorted(shown)[: options.show]:
        print(text)
    wrong = len(shown)
    print(dict(counts))
    print(
        f"inexact {wrong}: all {1 - wrong / counts['all']:.3%} exact, "
        f"cut {1 - wrong / counts['cut']:.3%} exact"
    )


def widen(times: int) -> None:
    """Search wider, to see what the bounds of the beam cost."""
    if times == 1:
        return
    beam._WIDTH *= times
    search._FEW *= times
    beam._RIVALS *= times
    beam._HOPELESS *= times
    guesses._CANDIDATES *= times
    damage._WEIGHED *= times


if __name__ == "__main__":
    main()

"""The frontier against a model: whatever happens in whatever order, no URL is lost or doubled."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from store_kit import START, Archive

from hongxing_crawler.store.visit import Found, Visit

URLS = [f"http://a.cn/{number}" for number in range(8)]
OUTCOMES = ["done", "unchanged", "gone", "failed", "rejected", "refused"]
MAX_ATTEMPTS = 3


class Frontier(RuleBasedStateMachine):
    """``state`` says where each known URL is; ``tickets`` are those in flight."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.archive = Archive(Path(self.folder.name))
        self.archive.begin()
        self.state = {}
        self.attempts = {}
        self.gone = {}
        self.tickets = []

    def teardown(self):
        self.archive.state.close()
        self.folder.cleanup()

    @rule(urls=st.lists(st.sampled_from(URLS)))
    def add(self, urls):
        new = set(urls) - set(self.state)
        assert self.archive.add(*urls) == len(new)
        self.state |= dict.fromkeys(new, "pending")

    @rule(limit=st.integers(1, 4))
    def take(self, limit):
        self.archive.clock.forward(hours=1)  # past every wait
        tickets = self.archive.state.take(limit)
        pending = sum(state == "pending" for state in self.state.values())
        assert len(tickets) == min(limit, pending)
        for ticket in tickets:
            assert self.state[ticket.url] == "pending"
            assert ticket.attempts == self.attempts.get(ticket.url, 0)
            self.state[ticket.url] = "in_flight"
        self.tickets += tickets

    @rule(outcome=st.sampled_from(OUTCOMES), links=st.lists(st.sampled_from(URLS), max_size=3))
    def finish(self, outcome, links):
        if not self.tickets:
            return
        ticket = self.tickets.pop()
        visit = Visit(ticket, outcome, status=200, finished_at=self.archive.clock())
        visit.links = [Found(url, "article") for url in links]
        self.archive.state.finish(self.archive.run_id, visit)
        for url in links:
            self.state.setdefault(url, "pending")
        self.state[ticket.url] = self._state_after(ticket.url, outcome)

    def _state_after(self, url, outcome):
        if outcome == "failed":
            self.attempts[url] = self.attempts.get(url, 0) + 1
            return "failed" if self.attempts[url] == MAX_ATTEMPTS else "pending"
        self.attempts[url] = 0
        self.gone[url] = self.gone.get(url, 0) + 1 if outcome == "gone" else 0
        return "gone" if self.gone[url] >= 2 else "done"

    @rule()
    def release(self):
        self.archive.state.release(ticket.id for ticket in self.tickets)
        self._land()

    @rule()
    def kill(self):
        self.archive.reopen()
        assert self.archive.state.requeue_in_flight() == len(self.tickets)
        self._land()
        self.next_run(full=False)

    def _land(self):
        for ticket in self.tickets:
            self.state[ticket.url] = "pending"
        self.tickets = []

    @rule(full=st.booleans())
    def next_run(self, full):
        self.archive.day = (self.archive.clock() - START).days  # past all that was finished
        self.archive.begin(full=full)
        asked = {"failed", "done", "gone"} if full else {"failed", "done"}
        for url, state in self.state.items():
            if state in asked:
                self.state[url], self.attempts[url] = "pending", 0

    @invariant()
    def every_url_is_somewhere_once(self):
        counts = {}
        for state in self.state.values():
            counts[state] = counts.get(state, 0) + 1
        assert self.archive.state.counts() == counts
        assert self.archive.state.has_pending() is ("pending" in counts)


TestFrontier = Frontier.TestCase
TestFrontier.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

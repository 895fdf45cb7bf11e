"""Silence made impossible: plain checks of a run against limits and against the runs before it."""

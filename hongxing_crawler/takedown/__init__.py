"""Removing a page from everything that a home holds: planned, staged, proved, then carried out.

Nothing of the home is touched before every replacement is on disk and proved. Then a journal says
that the decision stands; from there on each step may be repeated, so that a kill at any instant
leaves a takedown that is undone (no journal yet) or carried to its end (`resume`).
"""

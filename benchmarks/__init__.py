"""Measurements: ours beside others, in one run, as ratios."""

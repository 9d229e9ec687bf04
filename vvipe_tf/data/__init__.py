"""Data sets, splits, rigs, synthetic poses and the input pipeline."""

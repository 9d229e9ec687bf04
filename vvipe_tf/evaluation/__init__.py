"""Retrieval and lifting metrics with a NumPy core."""

"""Readers of 2D keypoint files of other tools, and the one table they end in."""

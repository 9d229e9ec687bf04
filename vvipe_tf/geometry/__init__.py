"""Geometry of poses and cameras: NumPy, or the graph through `xp`."""

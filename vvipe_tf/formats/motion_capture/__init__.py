"""Readers of 3D motion capture: BVH files, archives, and the official files of public data sets."""

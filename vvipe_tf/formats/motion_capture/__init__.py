"""Readers of 3D motion capture: BVH files and archives."""

"""Writers of 3D poses: JSON, CSV, npz, TRC, BVH."""

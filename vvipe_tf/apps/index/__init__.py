"""Search among embeddings: `PoseIndex`, its kinds, and what is on disk.

pose_index     the index: build, add, search, save, load
kinds          exact, HNSW and inverted lists of FAISS, and the effort each needs
distinct       equal vectors stored once
items          metadata in SQLite
generations    the folder: whole versions, replaced in one step
evaluation     Hit@k of an index
"""

from vvipe_tf.apps.index.pose_index import Neighbours, PoseIndex

__all__ = ["Neighbours", "PoseIndex"]

"""`PoseIndex`: embeddings that can be searched, with what is known about each of them."""

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vvipe_tf.apps.index.arrays import checked_embeddings, checked_poses
from vvipe_tf.apps.index.distinct import DistinctVectors
from vvipe_tf.apps.index.generations import OpenGeneration, open_generation, write_generation
from vvipe_tf.apps.index.items import ItemTable
from vvipe_tf.apps.index.kinds import RECALL, Calibration, VectorIndex, choose_kind

_SETTINGS = ("model_id", "automatic", "seed", "recall")


class Neighbours(NamedTuple):
    """Answers to q queries, nearest first.

    Args:
        distances: L2 distances (q, k) float32, not squared.
        items: Item numbers (q, k) int64; `PoseIndex.describe` says what they are.
    """

    distances: np.ndarray
    items: np.ndarray


class PoseIndex:
    """Embeddings of one model, numbered in the order they were added.

    Made by `build` or `load`. Equal embeddings are stored once. Several threads may search at a time; `add` and `save`
    want the index for themselves. Files on disk are never changed in place: see `vvipe_tf.apps.index.generations`.
    """

    def __init__(
        self,
        vectors: DistinctVectors,
        table: ItemTable,
        poses: np.ndarray | None,
        settings: Mapping[str, Any],
    ):
        """Takes over the parts; use `build` or `load`."""
        self._vectors, self._table, self._poses = vectors, table, poses
        self._settings = dict(settings)
        self._origin: tuple[Path, int] | None = None

    @classmethod
    def build(
        cls,
        embeddings: np.ndarray,
        metadata: Mapping[str, Sequence],
        model_id: str,
        kind: str | None = None,
        seed: int = 0,
        *,
        poses: np.ndarray | None = None,
        recall: float = RECALL,
    ) -> "PoseIndex":
        """Builds an index.

        Args:
            embeddings: Embeddings (n, dim), finite; n may be 0.
            metadata: Columns of n strings or numbers, `id` among them: a different text for each item.
            model_id: What made the embeddings, e.g. the SHA-256 of the model file.
            kind: `flat` (exact), `hnsw` or `ivf`; by default what suits the number of embeddings, now and after each
                `add`.
            seed: Seed of the order of insertion, of the clustering and of the queries that measure recall.
            poses: 3D poses (n, joints, 3) in torso units for Hit@k, or None; rows of NaN where a pose is unknown.
            recall: Share of queries whose nearest neighbour an approximate index shall find.

        Returns:
            The index, in memory.

        Raises:
            ValueError: If a shape, a value, a column or an id is not as above.
        """
        embeddings = checked_embeddings(embeddings)
        if not isinstance(model_id, str) or not model_id:
            raise ValueError(f"Expected the name of a model. Received: model_id={model_id!r}")
        if not 0 < recall <= 1:
            raise ValueError(f"Expected a recall above 0 and at most 1. Received: {recall}")
        settings = {"model_id": model_id, "automatic": kind is None, "seed": int(seed), "recall": float(recall)}
        table = ItemTable.create(metadata)
        poses = checked_poses(poses, len(embeddings), None)
        with table.adding(metadata, len(embeddings)):
            vectors = DistinctVectors.build(embeddings, kind, settings["seed"], settings["recall"])
        return cls(vectors, table, poses, settings)

    def add(
        self,
        embeddings: np.ndarray,
        metadata: Mapping[str, Sequence],
        model_id: str | None = None,
        *,
        poses: np.ndarray | None = None,
    ) -> None:
        """Adds items; all of them or, where something is wrong, none.

        Args:
            embeddings: Embeddings (n, dim), finite.
            metadata: Columns of n values among those of the index; columns left out stay empty, except `id`.
            model_id: What made the embeddings, to be compared with the index's.
            poses: 3D poses (n, joints, 3) as in `build`, or None.

        Raises:
            ValueError: If a shape, a value or a column is not as above, an id is there already, or the embeddings are
                of another model.
        """
        embeddings = checked_embeddings(embeddings, self.dim)
        self.check_model(model_id)
        poses = self._with_poses(poses, len(embeddings))
        with self._table.adding(metadata, len(embeddings)):
            if not len(embeddings):
                return
            count = len(self) + len(embeddings)
            seed, recall = self._settings["seed"], self._settings["recall"]
            if self._settings["automatic"] and choose_kind(count) != choose_kind(len(self)):
                everything = np.concatenate([self.embeddings(np.arange(len(self))), embeddings])
                self._vectors = DistinctVectors.build(everything, None, seed, recall)
            else:
                self._vectors = self._vectors.with_added(embeddings)
            self._poses = poses
        index = self._vectors.index
        if len(index) >= 2 * index.calibration.count:
            index.calibrate(recall, seed)

    def search(
        self,
        queries: np.ndarray,
        k: int,
        *,
        model_id: str | None = None,
        within: np.ndarray | None = None,
        effort: int | None = None,
    ) -> Neighbours:
        """Finds the nearest items.

        Args:
            queries: Embeddings (q, dim), finite.
            k: Number of neighbours, at most the number of items.
            model_id: What made the queries, to be compared with the index's.
            within: Numbers of the items to search among; that search is exact.
            effort: `efSearch` of a graph or `nprobe` of lists, instead of the calibrated one.

        Returns:
            Distances (q, k) and item numbers (q, k).

        Raises:
            ValueError: If the queries are not as above or of another model, or k is out of range.
        """
        queries = checked_embeddings(queries, self.dim)
        self.check_model(model_id)
        if not len(self):
            raise ValueError("Expected an index with items to search in. Received: an empty one; add some first")
        if effort is not None and effort < 1:
            raise ValueError(f"Expected an effort of at least 1. Received: {effort}")
        if within is not None:
            return self._search_within(queries, k, np.asarray(within))
        if not 1 <= k <= len(self):
            raise ValueError(f"Expected k between 1 and {len(self)}, the number of items. Received: k={k}")
        return Neighbours(*self._vectors.nearest(queries, k, effort))

    def calibrate(self, queries: np.ndarray) -> None:
        """Measures anew how much effort a search needs, with queries like those to come; kept by `save`.

        Args:
            queries: Embeddings (q, dim), finite, some hundreds of them.

        Raises:
            ValueError: If the queries are not as above.
        """
        queries = checked_embeddings(queries, self.dim)
        if not len(queries):
            raise ValueError("Expected queries to calibrate with. Received: none")
        self._vectors.index.calibrate(self._settings["recall"], self._settings["seed"], queries)

    def __len__(self) -> int:
        """Number of items."""
        return len(self._vectors)

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self._vectors.index.dim

    @property
    def model_id(self) -> str:
        """What made the embeddings."""
        return self._settings["model_id"]

    def check_model(self, model_id: str | None) -> None:
        """Raises `ValueError` if embeddings of `model_id` do not belong here; None is let through."""
        if model_id is not None and model_id != self.model_id:
            raise ValueError(f"Expected embeddings of model {self.model_id}, as in the index. Received: {model_id}")

    def find(self, text_id: str) -> int:
        """Number of the item with a text id.

        Raises:
            ValueError: If there is none.
        """
        item = self._table.find(text_id)
        if item is None:
            raise ValueError(f"Expected the id of an item in the index. Received: {text_id!r}")
        return item

    def where(self, **conditions: str | float | None) -> np.ndarray:
        """Numbers (n,) of the items whose metadata columns have the given values."""
        return self._table.where(conditions)

    def describe(self, items: np.ndarray) -> list[dict[str, Any]]:
        """Metadata of items (n,), one dict each."""
        return self._table.rows(items)

    def embeddings(self, items: np.ndarray) -> np.ndarray:
        """Embeddings (n, dim) float32 of items (n,)."""
        return self._vectors.vectors(items)

    def poses(self, items: np.ndarray) -> np.ndarray:
        """3D poses (n, joints, 3) float32 of items (n,); NaN where unknown.

        Raises:
            ValueError: If the index has no poses.
        """
        if self._poses is None:
            raise ValueError("Expected an index with 3D poses. Received: one without")
        return self._poses[items]

    @property
    def has_poses(self) -> bool:
        """Whether 3D poses of items are known."""
        return self._poses is not None

    def info(self) -> dict[str, Any]:
        """Facts about the index, JSON values."""
        index = self._vectors.index
        return {
            "count": len(self),
            "distinct": len(index),
            "dim": self.dim,
            "kind": index.kind,
            "kind_chosen_by_size": self._settings["automatic"],
            "effort": index.calibration.effort,
            "recall_at_1": index.calibration.recall,
            "recall_wanted": self._settings["recall"],
            "model_id": self.model_id,
            "seed": self._settings["seed"],
            "columns": {name: kind.__name__ for name, kind in self._table.columns.items()},
            "poses": 0 if self._poses is None else int(np.isfinite(self._poses[:, 0, 0]).sum()),
        }

    def save(self, folder: str | os.PathLike, overwrite: bool = False) -> int:
        """Writes the index as the next generation of a folder; readers see the old or the new one whole.

        Args:
            folder: Folder of the index, made if missing.
            overwrite: Whether to replace an index that this one was not loaded from or saved to.

        Returns:
            Number of the generation.

        Raises:
            FileExistsError: If the folder holds an index that this one does not continue, as when another process has
                saved meanwhile.
        """
        folder = Path(folder).resolve()
        known = self._origin[1] if self._origin and self._origin[0] == folder else 0
        index = self._vectors.index
        facts = {
            **self._settings,
            "kind": index.kind,
            "dim": self.dim,
            "count": len(self),
            "distinct": len(index),
            "calibration": index.calibration._asdict(),
        }
        writers = {
            "vectors.faiss": index.write,
            "items.sqlite": self._table.write,
            "numbers.npy": lambda path: np.save(path, self._vectors.vector_of_item),
        }
        if self._poses is not None:
            writers["poses.npy"] = lambda path: np.save(path, self._poses)
        number = write_generation(folder, facts, writers, None if overwrite else known)
        self._origin = (folder, number)
        return number

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "PoseIndex":
        """Reads the current generation of an index; every part is compared with its hash before it is read.

        The hash tells damage. FAISS trusts its files: do not load an index of someone you would not trust.

        Args:
            folder: Folder that `save` wrote.

        Returns:
            The index; it stays as it is when the folder gets a later generation.

        Raises:
            FileNotFoundError: If the folder holds no index.
            ValueError: If the index is damaged, or of another format or version.
        """
        while True:
            with open_generation(folder) as opened:
                try:
                    table = ItemTable.open(opened.generation.path("items"))
                except FileNotFoundError:
                    # Replaced since its files were opened, and SQLite wants the name: take the later generation.
                    continue
                try:
                    return cls._read(opened, table)
                except BaseException as error:
                    table.close()
                    if isinstance(error, (KeyError, TypeError, sqlite3.Error)):
                        raise ValueError(f"{folder}: expected the parts of an index. Received: {error!r}") from error
                    raise

    @classmethod
    def _read(cls, opened: OpenGeneration, table: ItemTable) -> "PoseIndex":
        facts, folder = opened.generation.facts, opened.generation.folder
        opened.verified("items")
        index = VectorIndex.read(
            opened.verified("vectors"),
            facts["kind"],
            facts["dim"],
            facts["distinct"],
            Calibration(**facts["calibration"]),
        )
        vectors = DistinctVectors(index, np.load(opened.verified("numbers"), allow_pickle=False))
        poses = np.load(opened.verified("poses"), allow_pickle=False) if "poses" in opened.generation.parts else None
        if not len(vectors) == len(table) == facts["count"]:
            raise ValueError(f"{folder}: expected {facts['count']} items. Received: {len(vectors)} and {len(table)}")
        poses = checked_poses(poses, len(vectors), None)
        read = cls(vectors, table, poses, {name: facts[name] for name in _SETTINGS})
        read._origin = (folder.resolve(), opened.generation.number)
        return read

    def _search_within(self, queries: np.ndarray, k: int, within: np.ndarray) -> Neighbours:
        if within.ndim != 1 or within.dtype.kind not in "iu" or not 1 <= k <= len(within):
            raise ValueError(f"Expected k between 1 and the {within.size} items to search among. Received: k={k}")
        chosen = VectorIndex.build("flat", self.embeddings(within), 0)
        distances, places = chosen.nearest(queries, k)
        return Neighbours(distances, within[places])

    def _with_poses(self, poses: np.ndarray | None, count: int) -> np.ndarray | None:
        joints = None if self._poses is None else self._poses.shape[1]
        poses = checked_poses(poses, count, joints)
        if poses is None and self._poses is None:
            return None
        joints = joints or poses.shape[1]
        old, new = (
            np.full((rows, joints, 3), np.nan, dtype=np.float32) if part is None else part
            for part, rows in ((self._poses, len(self)), (poses, count))
        )
        return np.concatenate([old, new])

"""Which poses train, which validate, which test.

The motion capture that the protocol names is split by it: rehabilitation subjects s09 and s10 are the test in a
laboratory that training has seen, Bandai-Namco the test in one it has not, DeepMimic's acrobatics the stress test; of
Human3.6M subjects S9 and S11 are the test, and MPI-INF-3DHP, both parts of it, is for testing only. Any other data set
is split by subject.
"""

import hashlib
from collections.abc import Collection, Mapping

import numpy as np

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.formats.motion_capture import human36m, mpi_inf_3dhp, mpi_inf_3dhp_test_set

VALIDATION_SHARE = 0.04
_SUBJECT_SHARES = {"validation": 0.1, "test": 0.2}
_TRAINING_SOURCES = ("ui_prmd", "reactidle", "cmu8", human36m.SOURCE)
# What the protocol tests on, by the name of the part: the source, and its subjects or None for all of them.
_TEST_PARTS: Mapping[str, tuple[str, tuple[str, ...] | None]] = {
    "test_seen_lab": ("ui_prmd", ("s09", "s10")),
    "test_unseen_lab": ("bandai_namco", None),
    "test_human36m": (human36m.SOURCE, ("S9", "S11")),
    "test_3dhp": (mpi_inf_3dhp.SOURCE, None),
    "test_3dhp_test_set": (mpi_inf_3dhp_test_set.SOURCE, None),
    "stress": ("deepmimic", None),
}


def default_split(dataset: PoseDataset, seed: int = 0) -> dict[str, PoseDataset]:
    """Splits a data set by the protocol if it holds a source that the protocol names, else by subject.

    Sources that the protocol does not name are never trained on beside those it does: they may hold the same recordings
    under another name. To train on them, split them by themselves (`split_by_field`).

    Args:
        dataset: Poses.
        seed: Seed of the split by subject; the protocol's needs none.

    Returns:
        By the protocol `train`, `validation`, `test_seen_lab`, `test_unseen_lab`, `test_human36m`, `test_3dhp`,
        `test_3dhp_test_set`, `stress`, and `other` for sources it does not name; by subject `train`, `validation` and
        `test`. Parts without poses are left out: there is nothing to train on where the protocol only tests.

    Raises:
        ValueError: If the data set holds too little to be split.
    """
    protocol_sources = {*_TRAINING_SOURCES, *(source for source, _ in _TEST_PARTS.values())}
    if protocol_sources.isdisjoint(dataset.licenses):
        return split_by_subject(dataset, seed)
    held_back = _test_masks(dataset)
    held_back["other"] = ~np.isin(dataset.source, list(protocol_sources))
    validation, train = split_validation(dataset.select(~np.logical_or.reduce(list(held_back.values()))))
    parts = {"train": train, "validation": validation}
    parts |= {name: dataset.select(mask) for name, mask in held_back.items()}
    return {name: part for name, part in parts.items() if len(part)}


def held_out_poses(dataset: PoseDataset) -> np.ndarray:
    """Which poses (num_poses,) may be measured on: not those that the protocol trains on.

    Args:
        dataset: Poses; those of sources that the protocol does not name may all be measured on.
    """
    trained = np.isin(dataset.source, _TRAINING_SOURCES)
    return ~trained | np.logical_or.reduce(list(_test_masks(dataset).values()))


def _test_masks(dataset: PoseDataset) -> dict[str, np.ndarray]:
    """Poses (num_poses,) of each part that the protocol tests on."""
    return {
        name: (dataset.source == source) & (True if subjects is None else np.isin(dataset.subject, subjects))
        for name, (source, subjects) in _TEST_PARTS.items()
    }


def split_validation(dataset: PoseDataset, share: float = VALIDATION_SHARE) -> tuple[PoseDataset, PoseDataset]:
    """Holds out whole sequences, about `share` of the poses of every source.

    Sequences are taken in the order of a hash of their names, so the choice depends on neither their order in the file
    nor a seed; one that would exceed the source's share is passed over. A source of few long sequences gives what fits
    (of 22 ReActIdle recordings, one or two), or nothing: never a piece of a sequence, whose neighbours would remain in
    training.

    Args:
        dataset: Poses.
        share: Share of the poses to hold out, 0 to 1.

    Returns:
        The poses held out, and the rest.
    """
    held_out = np.zeros(len(dataset), dtype=bool)
    sequences = dataset.sequence_frames()
    for source in dataset.licenses:
        mine = sorted((key for key in sequences if key[0] == source), key=_digest)
        room = share * sum(len(sequences[key]) for key in mine)
        for frames in (sequences[key] for key in mine):
            if len(frames) <= room:
                held_out[frames] = True
                room -= len(frames)
    return dataset.select(held_out), dataset.select(~held_out)


def split_by_subject(dataset: PoseDataset, seed: int = 0) -> dict[str, PoseDataset]:
    """Splits by subject at random: about 70 % train, 10 % validation, 20 % test, at least one subject each.

    With fewer than three subjects whole sequences are drawn instead: people are then seen in training.

    Args:
        dataset: Poses; a subject is known by source and name.
        seed: Seed of the draw.

    Returns:
        `train`, `validation` and `test`; together all poses, none twice.

    Raises:
        ValueError: If there are fewer than three subjects and fewer than three sequences.
    """
    sequences = dataset.sequence_frames()
    groups: dict[tuple[str, ...], list[np.ndarray]] = {}
    for key, frames in sequences.items():
        groups.setdefault(key[:2], []).append(frames)
    if len(groups) < 3:
        groups = {key: [frames] for key, frames in sequences.items()}
    if len(groups) < 3:
        raise ValueError(
            f"Expected at least 3 subjects, or 3 sequences, to split. Received: {len(groups)} sequences, "
            f"{len(dataset)} poses"
        )
    keys = sorted(groups)
    drawn = [keys[index] for index in np.random.default_rng(seed).permutation(len(keys))]
    parts = {}
    for name, share in _SUBJECT_SHARES.items():
        count = max(1, round(share * len(keys)))
        parts[name], drawn = drawn[:count], drawn[count:]
    parts = {"train": drawn, **parts}
    return {
        name: dataset.select(np.sort(np.concatenate([frames for key in part for frames in groups[key]])))
        for name, part in parts.items()
    }


def split_by_field(dataset: PoseDataset, field: str, values: Collection[str]) -> tuple[PoseDataset, PoseDataset]:
    """Splits by the values of one column.

    Args:
        dataset: Poses.
        field: `"subject"`, `"sequence"` or `"source"`.
        values: Values wanted; every one must occur.

    Returns:
        The poses with one of `values`, and the rest.

    Raises:
        ValueError: If there is no such column, or a value does not occur in it.
    """
    if field not in ("subject", "sequence", "source"):
        raise ValueError(f"Expected a field among subject, sequence, source. Received: {field!r}")
    column = getattr(dataset, field)
    unknown = sorted(set(values) - set(column.tolist()))
    if unknown:
        raise ValueError(f"Expected values that occur as {field}. Received: {unknown}")
    chosen = np.isin(column, list(values))
    return dataset.select(chosen), dataset.select(~chosen)


def _digest(key: tuple[str, str, str]) -> bytes:
    return hashlib.sha256("\n".join(key).encode()).digest()

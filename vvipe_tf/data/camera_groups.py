"""Which pairs of recorded cameras are averaged over."""

from collections.abc import Collection, Mapping, Sequence

from vvipe_tf.data.rigs import crossed_pairs, ordered_pairs
from vvipe_tf.formats.motion_capture import mpi_inf_3dhp


def camera_groups(sources: Collection[str], cameras: Sequence[str]) -> Mapping[str, tuple[tuple[int, int], ...]]:
    """Ordered (query, gallery) camera pairs by the name of their group.

    Args:
        sources: Data sets that the poses come from.
        cameras: Names of the cameras.

    Returns:
        `all`, every ordered pair, and for MPI-INF-3DHP `unseen` beside it: exactly one camera at chest height.

    Raises:
        ValueError: If there are fewer than two cameras.
    """
    if len(cameras) < 2:
        raise ValueError(f"Expected at least 2 cameras to search between. Received: {', '.join(cameras)}")
    groups = {"all": ordered_pairs(len(cameras))}
    if set(sources) == {mpi_inf_3dhp.SOURCE}:
        at_chest = {f"C{number}" for number in mpi_inf_3dhp.CHEST_CAMERAS}
        chest = tuple(place for place, name in enumerate(cameras) if name in at_chest)
        others = tuple(place for place, name in enumerate(cameras) if name not in at_chest)
        groups["unseen"] = crossed_pairs(chest, others)
    return {name: pairs for name, pairs in groups.items() if pairs}

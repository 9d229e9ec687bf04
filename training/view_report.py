"""What was measured on recorded views, as Markdown."""

from collections.abc import Mapping, Sequence

from vvipe_tf.evaluation.report import format_table
from vvipe_tf.keypoints import COCO_13

# What the names of galleries end in that hold views with missing joints too.
WITH_MISSING = "_with_missing"


def format_view_report(entry: Mapping) -> str:
    """One kind of keypoints: for each gallery a retrieval table and the lifting errors of each camera."""
    parts = [f"## {entry['data']}, {entry['kind']}, real cameras"]
    if entry["synthetic"]:
        parts.append("SYNTHETIC poses: these numbers show that the code works, not how well.")
    for name, gallery in entry["galleries"].items():
        metric = gallery["metrics"][0]
        chance = gallery["groups"]["all"]["chance"][metric]
        ks = list(chance["hit_at_k"])
        rows = []
        for group, measured in gallery["groups"].items():
            for title, part in (("model", "model"), ("2D keypoints", "keypoints_2d"), ("chance", "chance")):
                rows.append([f"{title}, {group}", *_cells(measured[part][metric], ks)])
        for title, part in (("oracle: 3D to other 3D", "oracle_3d"), ("oracle: canonical poses", "canonical_3d")):
            if part in gallery:
                rows.append([title, *_cells(gallery[part][metric], ks)])
        parts += [
            f"### {_title(name, gallery, entry)}",
            f"{gallery['frames']:,} frames, {len(gallery['seen'])} cameras, metric on {metric}, a hit within "
            f"{chance['threshold']:g} torso units. "
            f"Recorded views that show too little to be in it: {gallery['unusable_views']:,}.",
            format_table(["", *(f"Hit@{k}" for k in ks), "NP-MPJPE of 1st", "candidates", "pairs"], rows),
        ]
        if "lifting" in gallery:
            parts.append(_lifting_table(gallery))
    parts += [f"Not measured: {name}. {reason}" for name, reason in entry["left_out"].items()]
    parts.append(f"Command: `{entry.get('command') or 'none, called from Python'}`")
    return "\n\n".join(parts) + "\n"


def _title(name: str, gallery: Mapping, entry: Mapping) -> str:
    chosen, with_missing = name.removesuffix(WITH_MISSING), name.endswith(WITH_MISSING)
    which = "views that miss joints too" if with_missing else "views with all joints"
    return f"{_TITLES[chosen].format(**entry | gallery)}; {which}"


_TITLES = {
    "all": "All frames; those within {window} frames of the query's, its own aside, are no answers",
    "distinct": "Frames of which none is within {near_duplicate_threshold:g} of another",
    "listed": "Frames of the list",
}


def _cells(result: Mapping, ks: Sequence[str]) -> list[str]:
    error = result.get("first_neighbour_np_mpjpe")
    hits = [f"{100 * result['hit_at_k'][k]:.1f}" for k in ks]
    return [*hits, "" if error is None else f"{error:.3f}", f"{result['gallery_size']:,.1f}", str(result["pairs"])]


def _lifting_table(gallery: Mapping) -> str:
    errors = ("mpjpe_mm", "n_mpjpe_mm", "p_mpjpe_mm")
    cameras = [*gallery["lifting"]["cameras"], {"name": "mean", **gallery["lifting"]["mean"]}]
    frames = {**gallery["seen"], "mean": ""}
    rows = [[each["name"], str(frames[each["name"]]), *(f"{each[error]:.1f}" for error in errors)] for each in cameras]
    agreement = gallery["agreement"]
    if agreement is not None:
        rows.append(["between two cameras", str(agreement["frames"]), f"{agreement['mpjpe_mm']:.1f}", "", ""])
    return format_table([f"lifting, {COCO_13.name}", "frames", "MPJPE mm", "N-MPJPE mm", "P-MPJPE mm"], rows)

"""What the result files of a run folder say, in one form for virtual and for recorded cameras."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from training.summarise import describe_gallery


@dataclass(frozen=True)
class Measurement:
    """One model on one gallery, between one set of cameras.

    Args:
        title: The split, or the kind of keypoints, and the cameras.
        caption: The gallery in words, without a full stop.
        frames_sha256: Digest of the gallery's frames.
        metric: Joints that a hit is decided on.
        retrieval: Retrieval by its part: `model`, `keypoints_2d`, `chance`, `canonical_3d`; each with `hit_at_k`.
        lifting: Mean errors by name, or None where nothing was lifted.
        lifting_frame: Frame that MPJPE is taken in.
        lifting_joints: Joints that lifting errors are means over.
    """

    title: str
    caption: str
    frames_sha256: str
    metric: str
    retrieval: Mapping[str, Mapping]
    lifting: Mapping[str, float] | None
    lifting_frame: str
    lifting_joints: str


def virtual_measurements(entry: Mapping) -> Iterator[Measurement]:
    """Measurements of one split: an entry of results.json."""
    metric = entry["metrics"][0]
    for rig, measured in entry["rigs"].items():
        parts = {part: measured[part] for part in ("model", "keypoints_2d")}
        parts |= {part: entry[part] for part in ("chance", "canonical_3d")}
        yield Measurement(
            title=f"{entry['split']}, {rig}",
            caption=describe_gallery(entry),
            frames_sha256=entry["frames_sha256"],
            metric=metric,
            retrieval={part: by_metric[metric] for part, by_metric in parts.items()},
            lifting=measured["lifting"]["mean"] if "lifting" in measured else None,
            lifting_frame=entry.get("lifting_frame", "canonical"),
            # Before it was told, the lifter was measured on all that it lifts.
            lifting_joints=entry.get("lifting_joints", "H36M_17" if entry.get("model_kind") == "lifter" else "COCO_13"),
        )


def view_measurements(entry: Mapping) -> Iterator[Measurement]:
    """Measurements of one kind of recorded keypoints: an entry of view_results.json."""
    for name, gallery in entry["galleries"].items():
        metric = gallery["metrics"][0]
        for group, measured in gallery["groups"].items():
            parts = {**measured, "canonical_3d": gallery["canonical_3d"]}
            # Errors are those of all cameras, whichever pairs of them search.
            lifting = gallery["lifting"]["mean"] if "lifting" in gallery and group == "all" else None
            yield Measurement(
                title=f"{entry['kind']}, {name} frames, {group} pairs",
                caption=f"{entry['data']}{' (SYNTHETIC)' if entry['synthetic'] else ''}: {gallery['frames']:,} frames",
                frames_sha256=gallery["frames_sha256"],
                metric=metric,
                retrieval={part: by_metric[metric] for part, by_metric in parts.items()},
                lifting=lifting,
                lifting_frame="canonical",
                lifting_joints="COCO_13",
            )

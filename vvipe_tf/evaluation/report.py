"""Results of one data set and split, as Markdown tables that also read well in a terminal."""

from collections.abc import Mapping, Sequence

_SYNTHETIC = (
    "SYNTHETIC poses, made by this project's own generator: these numbers show that the code works, "
    "not how well it does on people."
)

_TITLES = {"vvipe": "V-VIPE", "pr_vipe": "PR-VIPE", "lifter": "Lifting and alignment"}


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown table with aligned columns: the first to the left, the others to the right.

    Args:
        header: Column titles.
        rows: Cells, one sequence per row.

    Returns:
        Lines joined by newlines, without one at the end.

    Raises:
        ValueError: If a row has another number of cells than the header.
    """
    wrong = [index for index, row in enumerate(rows) if len(row) != len(header)]
    if wrong:
        raise ValueError(f"Expected rows of {len(header)} cells. Received: {len(rows[wrong[0]])} in row {wrong[0]}")
    widths = [max(3, *(len(row[column]) for row in (header, *rows))) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(cells):
        rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return f"| {' | '.join([cells[0].ljust(widths[0]), *rest])} |"

    return "\n".join([line(header), f"| {' | '.join(rule)} |", *(line(row) for row in rows)])


def format_report(entry: Mapping) -> str:
    """One data set and split: caption, one retrieval table per rig, one lifting table for each kind of rig, provenance.

    Virtual and real rigs never share a table.

    Args:
        entry: Results as `training.evaluate.evaluate_model` returns them.

    Returns:
        Markdown, ending in a newline.
    """
    parts = [f"## {entry['data']}, split {entry['split']}", _caption(entry)]
    for name, rig in entry["rigs"].items():
        parts += [_rig_title(name, rig), _retrieval_table(entry, rig)]
    for virtual in (True, False):
        rigs = {name: rig for name, rig in entry["rigs"].items() if rig["virtual"] is virtual and "lifting" in rig}
        if rigs:
            parts += [f"### Lifting, {'virtual' if virtual else 'real'} cameras", _lifting_table(rigs)]
    parts.append(_provenance(entry))
    return "\n\n".join(parts) + "\n"


def _caption(entry: Mapping) -> str:
    primary = entry["metrics"][0]
    chance = entry["chance"][primary]
    own = chance["only_own_frame"]
    counted = "" if chance["queries"] == chance["gallery_size"] else f" (counted on {chance['queries']:,} queries)"
    lines = [_SYNTHETIC] if entry["synthetic"] else []
    lines += [
        f"Gallery: {entry['gallery_size']:,} poses of {entry['split_size']:,}, none within "
        f"{entry['near_duplicate_threshold']:g} of another, seed {entry['seed']}.",
        f"A hit: NP-MPJPE of at most {chance['threshold']:g} torso units over the joints of {primary}, unless a row "
        "says otherwise. Hit@k in %.",
        f"A query has {chance['mean_matches']:.1f} matches in the gallery on average, its own frame among them; "
        f"{100 * own:.1f} % have no other{counted}.",
    ]
    return _bullets(lines)


def _rig_title(name: str, rig: Mapping) -> str:
    kind = "virtual" if rig["virtual"] else "real"
    return f"### Retrieval, {kind} cameras: {name} ({rig['pairs']} ordered camera pairs)"


def _retrieval_table(entry: Mapping, rig: Mapping) -> str:
    primary, *others = entry["metrics"]
    ks = list(entry["chance"][primary]["hit_at_k"])
    title = _TITLES[entry.get("model_kind", "vvipe")]
    rows = [(f"{title}, 2D to 2D", rig["model"][primary])]
    rows += [(f"{title}, 2D to 2D, joints of {other}", rig["model"][other]) for other in others]
    if "cross_3d" in rig:
        rows.append((f"{title}, 3D to 2D", rig["cross_3d"][primary]))
    rows += [
        ("2D keypoints, no training", rig["keypoints_2d"][primary]),
        ("chance: random order", entry["chance"][primary]),
    ]
    if "oracle_3d" in entry:
        rows.append((f"oracle: {title}, 3D to other 3D", entry["oracle_3d"][primary]))
    rows.append(("oracle: canonical pose to other 3D", entry["canonical_3d"][primary]))
    header = ["", *(f"Hit@{k}" for k in ks), "NP-MPJPE of 1st"]
    return format_table(header, [[title, *_retrieval_cells(result, ks)] for title, result in rows])


def _retrieval_cells(result: Mapping, ks: Sequence[str]) -> list[str]:
    error = result.get("first_neighbour_np_mpjpe")
    return [*(f"{100 * result['hit_at_k'][k]:.1f}" for k in ks), "" if error is None else f"{error:.3f}"]


def _lifting_table(rigs: Mapping[str, Mapping]) -> str:
    header = ["rig", "MPJPE mm", "N-MPJPE mm", "P-MPJPE mm", "MPJPE torso", "PCK@150 %", "AUC %"]
    rows = []
    for name, rig in rigs.items():
        mean = rig["lifting"]["mean"]
        rows.append(
            [
                name,
                *(f"{mean[error]:.1f}" for error in ("mpjpe_mm", "n_mpjpe_mm", "p_mpjpe_mm")),
                f"{mean['mpjpe']:.3f}",
                *(f"{100 * mean[share]:.1f}" for share in ("pck_150mm", "auc_150mm")),
            ]
        )
    return format_table(header, rows)


def _provenance(entry: Mapping) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in entry.get("versions", {}).items())
    frame = {
        "camera": " MPJPE is in the axes of the camera.",
        "world": " MPJPE is in the axes of the world.",
        "canonical": " MPJPE is canonical; heading is not part of it.",
        None: "",
    }[entry.get("lifting_frame", "canonical" if entry.get("model_kind", "vvipe") == "vvipe" else None)]
    joints = (
        f" Lifting errors are means over the joints of {entry['lifting_joints']}." if "lifting_joints" in entry else ""
    )
    return _bullets(
        [
            f"One model and one gallery: no spread is given.{frame}{joints}",
            f"Command: `{entry.get('command') or 'none, called from Python'}`",
            f"Commit: {entry.get('commit') or 'unknown'}. Versions: {versions or 'unknown'}.",
        ]
    )


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)

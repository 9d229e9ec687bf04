"""A comparison as a picture: where the sequences meet, how alike they are over time, and where they differ most."""

import numpy as np
from matplotlib.figure import Figure

from vvipe_tf.apps.compare import Comparison, PoseTrack
from vvipe_tf.apps.figure_sheet import FOOTER, HEADER, INK, MARGIN, SOFT_INK, Sheet
from vvipe_tf.apps.sequence_alignment import distance_matrix
from vvipe_tf.apps.skeleton_plot import Window, draw_ghost, draw_skeleton
from vvipe_tf.apps.skeleton_view import view_pose
from vvipe_tf.geometry.alignment import apply_similarity, procrustes

_MATRIX, _PANEL, _CURVE = 3.2, 1.55, 1.9
_PATH_COLOUR, _WORST_COLOUR = "#FFFFFF", "#CC6677"
_CELLS = 400


def comparison_figure(
    a: PoseTrack, b: PoseTrack, comparison: Comparison, names: tuple[str, str] = ("A", "B"), note: str = ""
) -> Figure:
    """Draws a comparison.

    Args:
        a: First track.
        b: Second track.
        comparison: What `compare_tracks` made of them.
        names: What to call the two.
        note: A small line at the bottom.

    Returns:
        The figure: the matrix of distances with the path, the similarity over time, and the worst moments, the first
        person in colour and the second, turned and scaled onto them, in grey.
    """
    columns = max(len(comparison.worst), 1)
    curve_width = max(5.4, columns * (_PANEL + 0.2) - _MATRIX - 0.9)
    left, width = MARGIN + 0.55 + _MATRIX, 0.7 + curve_width
    pairs = [_pair(a, b, comparison, moment.step) for moment in comparison.worst]
    window = Window.around(pairs) if pairs else None
    height = _PANEL * window.height / window.width if pairs else 0.0
    top = HEADER + 0.1
    below = top + _MATRIX + 0.8
    sheet = Sheet(
        left + width + MARGIN,
        below + (height + 0.95 if pairs else 0.0) + FOOTER,
        f"Similarity {comparison.score:.0f} of 100: {comparison.verdict}",
        note,
        False,
    )
    _draw_matrix(sheet.panel(MARGIN + 0.5, top, _MATRIX, _MATRIX), a, b, comparison, names)
    _draw_curve(sheet.panel(left + 0.75, top, curve_width, _CURVE), a, comparison, names)
    _write_facts(sheet, left + 0.75, top + _CURVE + 0.75, a, b, comparison, names)
    for number, (moment, pair) in enumerate(zip(comparison.worst, pairs, strict=True)):
        start = MARGIN + number * (_PANEL + 0.2)
        sheet.card(start, below, _PANEL, height + 0.85)
        axes = sheet.panel(start, below + 0.22, _PANEL, height)
        draw_skeleton(axes, pair[0])
        draw_ghost(axes, pair[1])
        window.show(axes, pair)
        middle, bottom = start + _PANEL / 2, below + 0.22 + height
        sheet.write(middle, below + 0.14, f"frames {moment.frame_a} / {moment.frame_b}", size=8, weight="bold")
        sheet.write(middle, bottom + 0.14, f"similarity {moment.score:.0f}, NP-MPJPE {moment.np_mpjpe:.2f}", size=7.5)
        joint = f"{moment.joint.replace('_', ' ')} off by {moment.joint_error:.2f}"
        sheet.write(middle, bottom + 0.34, joint, size=7.5, color=SOFT_INK)
    if pairs:
        sheet.write(MARGIN, below - 0.12, f"least alike: {names[0]} in colour, {names[1]} in grey", size=8.5, ha="left")
    return sheet.figure


def _pair(a, b, comparison, step):
    pose_a = a.poses[comparison.alignment.rows_a[step]]
    pose_b = b.poses[comparison.alignment.rows_b[step]]
    return view_pose(pose_a), view_pose(apply_similarity(pose_b, procrustes(pose_b, pose_a)))


def _draw_matrix(axes, a, b, comparison, names):
    # A picture shows no more than some hundred cells a side.
    rows, columns = (np.unique(np.linspace(0, len(each.frame) - 1, _CELLS).astype(int)) for each in (a, b))
    distances = distance_matrix(a.embeddings[rows], b.embeddings[columns])
    axes.set_axis_on()
    axes.pcolormesh(b.frame[columns], a.frame[rows], distances, cmap="viridis_r", shading="nearest", rasterized=True)
    path_a, path_b = a.frame[comparison.alignment.rows_a], b.frame[comparison.alignment.rows_b]
    axes.plot(path_b, path_a, color=INK, linewidth=3.2)
    axes.plot(path_b, path_a, color=_PATH_COLOUR, linewidth=1.6)
    for moment in comparison.worst:
        axes.plot(moment.frame_b, moment.frame_a, "o", color=_WORST_COLOUR, markeredgecolor=INK, markersize=6)
    axes.set_xlabel(f"frame of {names[1]}", size=8)
    axes.set_ylabel(f"frame of {names[0]}", size=8)
    axes.set_title("distance of embeddings (dark: far) and path", size=8.5)
    axes.tick_params(labelsize=7)


def _draw_curve(axes, a, comparison, names):
    axes.set_axis_on()
    frames = a.frame[comparison.alignment.rows_a]
    axes.plot(frames, comparison.scores, color=INK, linewidth=1.3)
    axes.fill_between(frames, comparison.scores, color="#88CCEE", alpha=0.5, linewidth=0)
    for moment in comparison.worst:
        axes.plot(moment.frame_a, moment.score, "o", color=_WORST_COLOUR, markeredgecolor=INK, markersize=6)
    axes.set(ylim=(-3, 103))
    axes.set_xlabel(f"frame of {names[0]}", size=8)
    axes.set_title("similarity: 0 unrelated poses, 100 one pose seen by two cameras", size=8.5)
    axes.tick_params(labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _write_facts(sheet, left, top, a, b, comparison, names):
    timing = comparison.timing
    lines = [
        f"{name}: {len(track.frame)} poses; {track.num_refused} refused, {track.num_missing} frames without a detection"
        for name, track in zip(names, (a, b), strict=True)
    ]
    lines.append(
        f"lag {timing.lag:.0f} frames, 90 % within {timing.jitter:.0f}; mean NP-MPJPE {comparison.np_mpjpe.mean():.3f}"
    )
    for number, line in enumerate(lines):
        sheet.write(left, top + 0.22 * number, line, size=8, color=SOFT_INK, ha="left")

"""Figures 5 to 8 of the paper, drawn from examples; the pose panels of one figure have one scale."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from vvipe_tf.apps.embedding_map import EmbeddingMap
from vvipe_tf.apps.figure_examples import GenerationExample, LiftExamples, RetrievalExamples
from vvipe_tf.apps.figure_sheet import FOOTER, HEADER, MARGIN, SOFT_INK, Sheet
from vvipe_tf.apps.skeleton_plot import Window, draw_ghost, draw_skeleton
from vvipe_tf.apps.skeleton_view import view_keypoints, view_pose

_HIT, _MISS = "#00795C", "#B3261E"
_PANEL_WIDTH = 1.3
# Paul Tol's muted scheme, made for colour-blind readers; grey is the most usual pose.
_KEY_COLOURS = (
    "#A6A6A6", "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499",
)  # fmt: skip


def lift_figure(examples: LiftExamples, note: str = "", synthetic: bool = False) -> Figure:
    """Figure 5: a row for each pose; the truth, then for each camera its 2D keypoints and the pose lifted from them.

    Args:
        examples: What to show.
        note: What was drawn from what; a small line at the bottom.
        synthetic: Whether to mark the figure as made from synthetic poses.

    Returns:
        The figure.
    """
    truths = [view_pose(pose) for pose in examples.poses]
    lifts = [[view_pose(pose) for pose in row] for row in examples.lifted]
    views = [[view_keypoints(keypoints) for keypoints in row] for row in examples.keypoints_2d]
    rows, cameras = examples.errors_mm.shape
    solid = Window.around([[truth, *row] for truth, row in zip(truths, lifts, strict=True)])
    flat = Window.around([[view] for row in views for view in row])
    height = _PANEL_WIDTH * solid.height / solid.width
    flat_width = min(height * flat.width / flat.height, _PANEL_WIDTH)
    pair = flat_width + _PANEL_WIDTH + 0.12
    row_height = height + 0.3
    sheet = Sheet(
        2 * MARGIN + _PANEL_WIDTH + 0.1 + cameras * pair,
        HEADER + rows * row_height + FOOTER,
        "3D poses lifted from single 2D views",
        note,
        synthetic,
    )
    sheet.write(MARGIN + _PANEL_WIDTH / 2, 0.6, "true pose", weight="bold")
    for camera in range(cameras):
        left = MARGIN + _PANEL_WIDTH + 0.1 + camera * pair
        sheet.write(left + (pair - 0.12) / 2, 0.6, f"camera {camera + 1}: input, output", weight="bold")
        sheet.card(left, HEADER, pair - 0.12, rows * row_height - 0.05)
    for row in range(rows):
        top = HEADER + row * row_height
        group = [truths[row], *lifts[row]]
        axes = sheet.panel(MARGIN, top, _PANEL_WIDTH, height)
        draw_skeleton(axes, truths[row])
        solid.show(axes, group)
        easier = f"{round(100 * examples.quantiles[row])} % of poses are easier"
        sheet.write(MARGIN + _PANEL_WIDTH / 2, top + height + 0.1, easier, size=7.5, color=SOFT_INK)
        for camera in range(cameras):
            left = MARGIN + _PANEL_WIDTH + 0.1 + camera * pair
            axes = sheet.panel(left, top, flat_width, height)
            draw_skeleton(axes, views[row][camera], line_width=1.9)
            flat.show(axes, [views[row][camera]])
            axes = sheet.panel(left + flat_width, top, _PANEL_WIDTH, height)
            draw_skeleton(axes, lifts[row][camera])
            solid.show(axes, group)
            error = f"{examples.errors_mm[row, camera]:.0f} mm"
            sheet.write(left + flat_width + _PANEL_WIDTH / 2, top + height + 0.1, error, weight="bold")
    return sheet.figure


def retrieval_figure(examples: RetrievalExamples, note: str = "", synthetic: bool = False, columns: int = 3) -> Figure:
    """Figure 6: a card for each query, from easy to hard; query at the left, what was found at the right.

    Args:
        examples: What to show.
        note: What was drawn from what; a small line at the bottom.
        synthetic: Whether to mark the figure as made from synthetic poses.
        columns: Cards in a row.

    Returns:
        The figure.
    """
    truths = [
        [view_pose(query), view_pose(found)]
        for query, found in zip(examples.query_poses, examples.found_poses, strict=True)
    ]
    views = [
        [view_keypoints(query), view_keypoints(found)]
        for query, found in zip(examples.query_keypoints, examples.found_keypoints, strict=True)
    ]
    solid, flat = Window.around(truths), Window.around([[view] for pair in views for view in pair])
    height = _PANEL_WIDTH * solid.height / solid.width
    flat_height = min(_PANEL_WIDTH * flat.height / flat.width, height)
    card_width, card_height = 2 * _PANEL_WIDTH + 0.3, flat_height + height + 1.0
    rows = -(-len(truths) // columns)
    sheet = Sheet(
        2 * MARGIN + columns * (card_width + MARGIN) - MARGIN,
        HEADER - 0.25 + rows * (card_height + MARGIN) - MARGIN + FOOTER,
        "Retrieval across cameras, from easy to hard",
        note,
        synthetic,
    )
    for number, (pair, pair_views) in enumerate(zip(truths, views, strict=True)):
        row, column = divmod(number, columns)
        left = MARGIN + column * (card_width + MARGIN)
        top = HEADER - 0.25 + row * (card_height + MARGIN)
        sheet.card(left, top, card_width, card_height)
        for side, (view, truth) in enumerate(zip(pair_views, pair, strict=True)):
            panel_left = left + 0.1 + side * (_PANEL_WIDTH + 0.1)
            middle = panel_left + _PANEL_WIDTH / 2
            sheet.write(middle, top + 0.15, ("query", "found")[side], weight="bold")
            sheet.write(middle, top + 0.33, examples.cameras[number][side], size=6.5, color=SOFT_INK)
            axes = sheet.panel(panel_left, top + 0.42, _PANEL_WIDTH, flat_height)
            draw_skeleton(axes, view, line_width=1.9)
            flat.show(axes, [view])
            axes = sheet.panel(panel_left, top + 0.42 + flat_height, _PANEL_WIDTH, height)
            draw_skeleton(axes, truth)
            solid.show(axes, pair)
        hit = examples.np_mpjpe[number] <= examples.threshold
        verdict = "hit" if hit else "miss"
        if examples.same_frame[number]:
            verdict += ", same moment"
        errors = f"NP-MPJPE {examples.np_mpjpe[number]:.3f}   MPJPE {examples.mpjpe_mm[number]:.0f} mm"
        middle, bottom = left + card_width / 2, top + card_height
        sheet.write(middle, bottom - 0.38, verdict, size=10, weight="bold", color=_HIT if hit else _MISS)
        sheet.write(middle, bottom - 0.17, errors, size=8.5)
    return sheet.figure


def generation_figure(example: GenerationExample, note: str = "", synthetic: bool = False) -> Figure:
    """Figure 7: the pose at the left; a row for each direction, a column for each magnitude, the pose behind in grey.

    Args:
        example: What to show.
        note: What was drawn from what; a small line at the bottom.
        synthetic: Whether to mark the figure as made from synthetic poses.

    Returns:
        The figure.
    """
    start = view_pose(example.start)
    generated = [[view_pose(pose) for pose in row] for row in example.generated]
    group = [start, *(view for row in generated for view in row)]
    window = Window.around([group])
    width, height = _PANEL_WIDTH + 0.3, (_PANEL_WIDTH + 0.3) * window.height / window.width
    rows, columns = example.moved.shape
    row_height = height + 0.3
    sheet = Sheet(
        2 * MARGIN + (columns + 1) * width + 0.4,
        HEADER + rows * row_height + FOOTER,
        "Poses generated around one pose",
        note,
        synthetic,
    )
    sheet.write(MARGIN + width / 2, 0.6, "start", weight="bold")
    axes = sheet.panel(MARGIN, HEADER + (rows * row_height - 0.3 - height) / 2, width, height)
    draw_skeleton(axes, start)
    window.show(axes, group)
    for row in range(rows):
        top = HEADER + row * row_height
        sheet.card(MARGIN + width + 0.05, top, columns * width + 0.35, row_height - 0.08)
        sheet.write(MARGIN + width + 0.2, top + height / 2, f"$z_{row + 1}$", size=13)
        for column, alpha in enumerate(example.alphas):
            left = MARGIN + width + 0.4 + column * width
            if row == 0:
                sheet.write(left + width / 2, 0.6, rf"$\alpha$ = {alpha:g}", size=10)
            axes = sheet.panel(left, top, width, height)
            draw_skeleton(axes, generated[row][column])
            draw_ghost(axes, start)
            window.show(axes, group)
            moved = f"moved {example.moved[row, column]:.2f} torso"
            sheet.write(left + width / 2, top + height + 0.08, moved, size=8, color=SOFT_INK)
    return sheet.figure


def map_figure(embedding_map: EmbeddingMap, note: str = "", synthetic: bool = False) -> Figure:
    """Figure 8: the embeddings in the plane, coloured by the key pose each pose resembles most; key poses at the sides.

    Args:
        embedding_map: What to show; at most ten key poses.
        note: What was drawn from what; a small line at the bottom.
        synthetic: Whether to mark the figure as made from synthetic poses.

    Returns:
        The figure.

    Raises:
        ValueError: If there are more key poses than colours.
    """
    num_keys = len(embedding_map.key_indices)
    if num_keys > len(_KEY_COLOURS):
        raise ValueError(f"Expected at most {len(_KEY_COLOURS)} key poses. Received: {num_keys}")
    views = [view_pose(pose) for pose in embedding_map.key_poses]
    window = Window.around([[view] for view in views])
    height, pitch, slots = 1.3, 1.52, len(_KEY_COLOURS) // 2
    width, side = height * window.width / window.height, slots * pitch
    left, top = MARGIN + width + 0.35, HEADER - 0.25
    sheet = Sheet(2 * left + side, top + side + FOOTER, "t-SNE of the embeddings of single 2D views", note, synthetic)
    axes = sheet.panel(left, top, side, side)
    axes.set(xlim=(0, side), ylim=(side, 0))
    points = side * _to_unit_square(embedding_map.points)
    colours = np.array(_KEY_COLOURS)
    axes.scatter(*points.T, s=9, c=colours[embedding_map.labels], alpha=0.8, linewidths=0, zorder=2)
    keys = points[embedding_map.key_indices]
    axes.scatter(*keys.T, s=46, c=colours[:num_keys], edgecolors="black", linewidths=1.1, zorder=5)
    # Insets stand in two columns; of all ways to join them to their points, the shortest has no lines that cross.
    ends = np.array([(x, (slot + 0.5) * pitch - 0.1) for x in (-0.35, side + 0.35) for slot in range(slots)])
    ends = ends[linear_sum_assignment(cdist(keys, ends))[1]]
    shares = np.bincount(embedding_map.labels, minlength=num_keys) / len(points)
    for view, share, (x, y), colour in zip(views, shares, ends, _KEY_COLOURS[:num_keys], strict=True):
        panel_left, panel_top = left + (x - width if x < 0 else x), top + y - height / 2
        panel = sheet.panel(panel_left, panel_top, width, height)
        draw_skeleton(panel, view, line_width=2.2)
        window.show(panel, [view])
        frame = Rectangle((0, 0), 1, 1, transform=panel.transAxes, facecolor="none", edgecolor=colour)
        panel.add_patch(frame).set(linewidth=2.5, clip_on=False)
        sheet.write(panel_left + width / 2, panel_top + height + 0.1, f"{100 * share:.0f} %", size=8, color=SOFT_INK)
    lines = np.stack([ends, keys], axis=1)
    axes.add_collection(LineCollection(lines, colors=_KEY_COLOURS[:num_keys], linewidths=1.1, zorder=4, clip_on=False))
    return sheet.figure


def _to_unit_square(points: np.ndarray) -> np.ndarray:
    """Points (n, 2), moved and scaled to lie in the unit square with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    return 0.02 + 0.96 * (points - low) / np.where(high > low, high - low, 1.0)

"""Is the whole joint order wrong, and which one is it?"""

import numpy as np

from vvipe_tf.formats.layout.anatomy import agreement, bone_ratio, correlation, mean_distances, reference_distances
from vvipe_tf.formats.layout.finding import LayoutFinding
from vvipe_tf.keypoints import PROFILES, KeypointProfile

# An order is suspect below this agreement, or above this strangeness (twice the bone ratio less the agreement). Of
# 400 real single frames and 400 of mocap none is, of 300 of acrobats 5 %; of random orders all but 1 % are.
_SUSPECT = 0.6
_STRANGE = 0.95
# Beyond both no frame of any body was found, acrobats included: such an order is wrong for certain.
_CERTAIN_AGREEMENT = 0.3
_CERTAIN_BONES = 0.9
# Over several frames bones this long will do. For true clips the best of all permutations fits by up to 0.91.
_LONG_BONES = 0.78
_LIKELY = 0.7
_PERFECT = 0.93
_GAIN = 0.25
_FEW_FRAMES = 5
_HINT = 0.6


def wrong_joint_order(
    points: np.ndarray, visible: np.ndarray, profile: KeypointProfile, find_permutation: bool = True
) -> LayoutFinding | None:
    """Compares the distances between the joints with those of a body.

    Args:
        points: Keypoints (frames, joints, 2).
        visible: Which joints count (frames, joints) bool.
        profile: Profile of the columns.
        find_permutation: Whether to look for the order that was meant; that costs a tenth of a second.

    Returns:
        What is wrong, with the profile or the permutation that is likely meant; `None` if nothing is.
    """
    claimed = agreement(points, visible, profile)
    if not claimed < _SUSPECT:
        return None
    other = _likely_profile(points, visible, profile, claimed)
    if other is not None:
        return other
    stretched = bone_ratio(points, visible, profile)
    few = len(points) < _FEW_FRAMES
    certain = stretched > _CERTAIN_BONES and claimed < _CERTAIN_AGREEMENT
    certain |= not few and stretched > _LONG_BONES
    # Without the bones to judge by, the agreement decides alone.
    strange = claimed < _CERTAIN_AGREEMENT if np.isnan(stretched) else 2 * stretched - claimed > _STRANGE
    if not (certain or strange) and few:
        return None
    permutation, fit = _best_permutation(points, visible, profile) if find_permutation else (None, np.nan)
    known = fit >= (_LIKELY if certain or strange else _PERFECT) and fit - claimed >= _GAIN
    certain |= not few and known and fit >= _PERFECT
    if not (certain or strange):
        return None
    confidence = max(0.8, min(0.99, 0.4 + fit - claimed) if known else 0) if certain else _HINT
    message = f"The joints are not in the order of {profile.name}"
    if not certain:
        message = f"The joints may not be in the order of {profile.name}, or people are curled up"
    if known:
        return LayoutFinding(
            "joint_order",
            confidence,
            f"{message}. The likely one is a guess, up to left and right and within the face.",
            None,
            permutation,
        )
    return LayoutFinding("joint_order", confidence, f"{message}.")


def _likely_profile(points, visible, profile, claimed) -> LayoutFinding | None:
    fits = {
        other.name: agreement(points, visible, other)
        for other in PROFILES.values()
        if other.num_joints == profile.num_joints and other is not profile
    }
    fits = {name: fit for name, fit in fits.items() if fit >= _LIKELY and fit - claimed >= _GAIN}
    if not fits:
        return None
    likely = PROFILES[max(fits, key=fits.get)]
    message = f"The joints are not in the order of {profile.name}; they look like {likely.name}."
    shared = all(likely.has(name) for name in profile.keypoint_names)
    permutation = np.array([likely.index(name) for name in profile.keypoint_names]) if shared else None
    return LayoutFinding("joint_order", min(0.99, 0.6 + fits[likely.name] - claimed), message, likely, permutation)


def _best_permutation(
    points: np.ndarray, visible: np.ndarray, profile: KeypointProfile
) -> tuple[np.ndarray | None, float]:
    """The order of columns that fits the reference best, by quadratic assignment; of two mirror images, the claimed."""
    from scipy.optimize import quadratic_assignment  # 0.3 s that only a wrong order costs

    names = profile.keypoint_names
    references = reference_distances(names)
    distances = mean_distances(points, visible)
    unseen = ~np.isfinite(distances)
    if references is None or unseen.mean() > 0.1:
        return None, float("nan")
    distances = np.where(unseen, distances[~unseen].mean(), distances)
    best, fit = None, -np.inf
    for reference in references:
        for seed in range(4):
            rng = np.random.default_rng(seed)
            options = {"maximize": True, "rng": rng, "P0": "randomized" if seed else "barycenter"}
            start = quadratic_assignment(reference, distances, method="faq", options=options).col_ind
            guess = np.stack([np.arange(len(names)), start], axis=1)
            options = {"maximize": True, "rng": rng, "partial_guess": guess}
            found = quadratic_assignment(reference, distances, method="2opt", options=options).col_ind
            found_fit = correlation(distances[np.ix_(found, found)], names)
            if found_fit > fit:
                best, fit = found, found_fit
    mirror_image = best[profile.flip_indices]
    fixed = [(order == np.arange(len(order))).sum() for order in (best, mirror_image)]
    return (mirror_image if fixed[1] > fixed[0] else best), fit

"""How many keypoints a person has in a file, and which profile that means."""

from dataclasses import dataclass

from vvipe_tf.keypoints import (
    BLAZEPOSE_33,
    COCO_13,
    COCO_17,
    HALPE_26,
    OPENPOSE_BODY_25,
    OPENPOSE_BODY_25B,
    KeypointProfile,
)

# OpenPose's COCO model and AlphaPose's `cmu` and `open` forms: nose, neck, right arm, left arm, right leg, left leg,
# eyes, ears. The neck (index 1) is left out on purpose: AlphaPose fills it with another joint on Halpe models.
_COCO_17_IN_18 = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)


@dataclass(frozen=True)
class BodyLayout:
    """Where a profile's joints stand in a person's keypoint list.

    Args:
        profile: Profile of the result.
        indices: For each joint of the profile, its position in the file's list.
    """

    profile: KeypointProfile
    indices: tuple[int, ...]


def _leading(profile: KeypointProfile) -> BodyLayout:
    return BodyLayout(profile, tuple(range(profile.num_joints)))


# 133 (COCO-WholeBody), 136 (Halpe) and 135 (OpenPose BODY_135) begin with the body; hands and faces are not used.
_LAYOUTS: dict[int, tuple[BodyLayout, ...]] = {
    13: (_leading(COCO_13),),
    17: (_leading(COCO_17),),
    18: (BodyLayout(COCO_17, _COCO_17_IN_18),),
    25: (_leading(OPENPOSE_BODY_25), _leading(OPENPOSE_BODY_25B)),
    26: (_leading(HALPE_26),),
    33: (_leading(BLAZEPOSE_33),),
    133: (_leading(COCO_17),),
    135: (_leading(OPENPOSE_BODY_25B),),
    136: (_leading(HALPE_26),),
}


def layouts_of(num_keypoints: int, profile: KeypointProfile | None, where: str) -> tuple[BodyLayout, ...]:
    """Layouts that a keypoint count may mean.

    Args:
        num_keypoints: Keypoints of one person in the file.
        profile: Profile that the user named, or `None`.
        where: File and record, for the message.

    Returns:
        One layout, or two where the count is ambiguous (25: BODY_25 or BODY_25B) and no profile was named.

    Raises:
        ValueError: If the count is unknown, or does not fit the profile named.
    """
    known = _LAYOUTS.get(num_keypoints, ())
    if profile is None:
        if not known:
            counts = ", ".join(str(count) for count in _LAYOUTS)
            raise ValueError(
                f"{where}: expected {counts} keypoints, or a profile named for them. Received: {num_keypoints}"
            )
        return known
    if profile.num_joints == num_keypoints:
        return (_leading(profile),)
    fitting = tuple(layout for layout in known if layout.profile is profile)
    if not fitting:
        raise ValueError(
            f"{where}: expected {profile.num_joints} keypoints for {profile.name}. Received: {num_keypoints}"
        )
    return fitting

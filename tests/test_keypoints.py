import numpy as np
import pytest

from vvipe_tf.keypoints import (
    COCO_13,
    COCO_17,
    H36M_17,
    H36M_32,
    HALPE_26,
    MOCAP_22,
    MPI_INF_3DHP_28,
    OPENPOSE_BODY_25,
    OPENPOSE_BODY_25B,
    PROFILES,
    KeypointProfile,
    get_profile,
    map_keypoints,
    map_scores,
)

EVERY_PROFILE = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
H36M_32_TO_17 = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]


def random_points(profile, *batch, dims=3):
    return np.random.default_rng(6).normal(size=(*batch, profile.num_joints, dims))


@pytest.mark.parametrize(
    ("source", "target", "indices"),
    [
        (H36M_17, COCO_13, [9, 11, 14, 12, 15, 13, 16, 4, 1, 5, 2, 6, 3]),
        (MPI_INF_3DHP_28, COCO_13, [6, 9, 14, 10, 15, 11, 16, 18, 23, 19, 24, 20, 25]),
        (H36M_32, H36M_17, H36M_32_TO_17),
        (MPI_INF_3DHP_28, H36M_17, [4, 23, 24, 25, 18, 19, 20, 3, 5, 6, 7, 9, 10, 11, 14, 15, 16]),
        (COCO_17, COCO_13, [0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
        (OPENPOSE_BODY_25, COCO_17, [0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11]),
        (OPENPOSE_BODY_25B, COCO_17, list(range(17))),
        (HALPE_26, COCO_17, list(range(17))),
    ],
    ids=lambda value: getattr(value, "name", "indices"),
)
def test_published_joint_orders_come_out_of_the_names(source, target, indices):
    points = random_points(source, 2, 3)
    np.testing.assert_array_equal(map_keypoints(points, source, target), points[..., indices, :])


@pytest.mark.parametrize(
    ("profile", "num_joints"),
    [(name, int(name.rstrip("B").rsplit("_", 1)[-1])) for name in PROFILES],
)
def test_the_number_in_a_profiles_name_is_its_joint_count(profile, num_joints):
    assert PROFILES[profile].num_joints == num_joints


@EVERY_PROFILE
def test_flipping_twice_changes_nothing_and_swaps_left_with_right(profile):
    flip = profile.flip_indices
    np.testing.assert_array_equal(flip[flip], np.arange(profile.num_joints))
    for index, name in enumerate(profile.keypoint_names):
        side, _, part = name.partition("_")
        expected = {"left": f"right_{part}", "right": f"left_{part}"}.get(side, name)
        assert profile.keypoint_names[flip[index]] == expected


@EVERY_PROFILE
def test_bones_join_two_different_joints_and_every_limb_joint_has_one(profile):
    assert profile.bone_indices.shape == (len(profile.bones), 2)
    assert (profile.bone_indices[:, 0] != profile.bone_indices[:, 1]).all()
    for joint in ("left_wrist", "right_ankle", "left_knee"):
        assert profile.index(joint) in profile.bone_indices


@EVERY_PROFILE
def test_every_profile_maps_to_coco_13_by_a_matrix_that_does_the_same(profile):
    points = random_points(profile, 4)
    matrix = profile.mapping_to(COCO_13)
    assert matrix.shape == (13, profile.num_joints)
    np.testing.assert_array_equal(matrix.sum(axis=1), 1)
    np.testing.assert_allclose(map_keypoints(points, profile, COCO_13), matrix @ points)


@EVERY_PROFILE
def test_every_profile_maps_to_itself_unchanged(profile):
    points = random_points(profile, 5, dims=2)
    np.testing.assert_array_equal(map_keypoints(points, profile, profile), points)


def test_pelvis_and_neck_are_midpoints_where_they_are_missing():
    target = KeypointProfile("TRUNK", ("neck", "nose", "pelvis"), (("neck", "pelvis"),))
    points = random_points(COCO_17, 3)
    neck, nose, pelvis = np.moveaxis(map_keypoints(points, COCO_17, target), -2, 0)
    np.testing.assert_allclose(neck, (points[:, 5] + points[:, 6]) / 2)
    np.testing.assert_array_equal(nose, points[:, 0])
    np.testing.assert_allclose(pelvis, (points[:, 11] + points[:, 12]) / 2)
    own = random_points(H36M_17, 3)
    np.testing.assert_array_equal(map_keypoints(own, H36M_17, target), own[:, [8, 9, 0]])


def test_a_spine_is_never_invented():
    assert not COCO_17.has("spine")
    with pytest.raises(ValueError, match=r"maps to H36M_17. Received: COCO_17, without \['spine', 'head_top'\]"):
        map_keypoints(random_points(COCO_17), COCO_17, H36M_17)
    with pytest.raises(ValueError, match="Received: 'spine'"):
        COCO_17.sources_of("spine")


def test_an_alias_stands_in_for_a_joint():
    assert MPI_INF_3DHP_28.has("nose")
    assert MPI_INF_3DHP_28.index("nose") == MPI_INF_3DHP_28.index("head") == 6
    assert MOCAP_22.index("nose") == 0


def test_has_and_index_do_not_know_midpoints():
    assert not COCO_13.has("pelvis")
    assert COCO_13.sources_of("pelvis") == (COCO_13.index("left_hip"), COCO_13.index("right_hip"))
    with pytest.raises(ValueError, match="Expected a joint of profile COCO_13.*Received: 'pelvis'"):
        COCO_13.index("pelvis")


def test_a_derived_joint_is_as_certain_as_the_worse_of_its_parents():
    target = KeypointProfile("TRUNK", ("pelvis", "nose"), ())
    scores = np.tile(np.linspace(0, 1, 13), (2, 1))
    scores[0, COCO_13.index("left_hip")], scores[0, COCO_13.index("right_hip")] = 0.9, 0.2
    mapped = map_scores(scores, COCO_13, target)
    assert mapped.shape == (2, 2)
    np.testing.assert_allclose(mapped[0], [0.2, 0])
    np.testing.assert_allclose(mapped[1], [scores[1, COCO_13.index("left_hip")], 0])


def test_masks_stay_boolean_and_float32_stays_float32():
    assert map_scores(np.ones(17, dtype=bool), COCO_17, COCO_13).dtype == bool
    target = KeypointProfile("ROOT", ("pelvis",), ())
    assert map_keypoints(np.ones((17, 2), dtype=np.float32), COCO_17, target).dtype == np.float32


def test_wrong_joint_counts_are_named():
    with pytest.raises(ValueError, match=r"\(\.\.\., 17, dims\) for COCO_17. Received: shape=\(4, 16, 2\)"):
        map_keypoints(np.zeros((4, 16, 2)), COCO_17, COCO_13)
    with pytest.raises(ValueError, match=r"\(\.\.\., 17\) for COCO_17. Received: shape=\(17, 2\)"):
        map_scores(np.zeros((17, 2)), COCO_17, COCO_13)


@pytest.mark.parametrize("name", ["COCO_17", "coco_17", "coco-17", "Coco-17"])
def test_profiles_are_found_however_their_name_is_written(name):
    assert get_profile(name) is COCO_17


def test_an_unknown_profile_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match=r"among COCO_13, .*HALPE_26. Received: 'coco'"):
        get_profile("coco")


@pytest.mark.parametrize(
    ("names", "bones", "aliases", "message"),
    [
        (("nose", "nose"), (), {}, "distinct keypoint names"),
        (("nose", "neck"), (("nose", "tail"),), {}, r"Received: \['tail'\]"),
        (("nose", "neck"), (), {"head": "skull"}, r"Received: \['skull'\]"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(names, bones, aliases, message):
    with pytest.raises(ValueError, match=message):
        KeypointProfile("ODD", names, bones, aliases)


def test_profiles_can_be_dictionary_keys():
    assert len(set(PROFILES.values())) == len(PROFILES)

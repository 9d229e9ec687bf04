import pytest

from vvipe_tf.data.camera_groups import camera_groups


def test_cameras_of_mpi_inf_3dhp_make_110_pairs_and_60_with_one_chest_camera():
    names = [f"C{number}" for number in (3, 0, 1, 2, 10, 4, 5, 6, 7, 8, 9)]
    groups = camera_groups(["mpi_inf_3dhp"], names)
    assert (len(groups["all"]), len(groups["unseen"])) == (110, 60)
    chest = {"C0", "C2", "C4", "C7", "C8"}
    assert all((names[a] in chest) != (names[b] in chest) for a, b in groups["unseen"])


def test_other_cameras_are_one_group():
    assert {name: len(pairs) for name, pairs in camera_groups(["human36m"], "abcd").items()} == {"all": 12}
    assert set(camera_groups(["mpi_inf_3dhp"], ["C0", "C2"])) == {"all"}
    with pytest.raises(ValueError, match="at least 2 cameras"):
        camera_groups(["human36m"], ["a"])

"""The command that prepares data: what is read, what is dropped, and that the output is whole or absent."""

import numpy as np
import pytest

from tests.formats.motion_capture.official_files import write_3dhp, write_human36m
from training.prepare_data import main
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.keypoints import H36M_17, MOCAP_22, map_keypoints

JOINTS = [name.replace("left_", "l_").replace("right_", "r_") for name in MOCAP_22.keypoint_names]
BONES = {
    "Hips": ("", "0 100 0"), "Spine": ("Hips", "0 22 0"), "Neck": ("Spine", "0 26 0"), "Head": ("Neck", "0 8 0"),
    "LeftArm": ("Spine", "17 25 0"), "LeftForeArm": ("LeftArm", "28 0 0"), "LeftHand": ("LeftForeArm", "25 0 0"),
    "RightArm": ("Spine", "-17 25 0"), "RightForeArm": ("RightArm", "-28 0 0"),
    "RightHand": ("RightForeArm", "-25 0 0"),
    "LeftUpLeg": ("Hips", "10 0 0"), "LeftLeg": ("LeftUpLeg", "0 -42 0"), "LeftFoot": ("LeftLeg", "0 -41 0"),
    "RightUpLeg": ("Hips", "-10 0 0"), "RightLeg": ("RightUpLeg", "0 -42 0"), "RightFoot": ("RightLeg", "0 -41 0"),
}  # fmt: skip


def write_archive(path, xyz, sequence_lengths, fps=10.0, prefix="take"):
    names = [f"{prefix}{number}" for number in range(len(sequence_lengths))]
    np.savez(
        path,
        xyz=xyz.astype(np.float32),
        seq=np.repeat(np.arange(len(names), dtype=np.int32), sequence_lengths),
        frame=np.arange(len(xyz), dtype=np.int32) * 2,
        names=np.array(names),
        joints=np.array(JOINTS),
        fps=np.array(fps),
    )


def write_bvh(path, frames=9, frame_time=0.05):
    def lines(name):
        parent, offset = BONES[name]
        yield f"{'JOINT' if parent else 'ROOT'} {name}\n{{\nOFFSET {offset}\nCHANNELS 3 Zrotation Xrotation Yrotation"
        children = [child for child, (its_parent, _) in BONES.items() if its_parent == name]
        for child in children:
            yield from lines(child)
        yield "}" if children else "End Site\n{\nOFFSET 0 0 0\n}\n}"

    angles = np.random.default_rng(0).uniform(-20, 20, (frames, 3 * len(BONES)))
    motion = "\n".join(" ".join(f"{angle:.4f}" for angle in row) for row in angles)
    hierarchy = "\n".join(lines("Hips"))
    path.write_text(f"HIERARCHY\n{hierarchy}\nMOTION\nFrames: {frames}\nFrame Time: {frame_time}\n{motion}\n")


def random_xyz(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 22, 3))


def test_a_folder_of_archives_and_bvh_files_becomes_one_data_set(tmp_path, capsys):
    source = tmp_path / "in"
    (source / "me").mkdir(parents=True)
    xyz = random_xyz(11)
    write_archive(source / "dance.npz", xyz, [4, 7])
    write_bvh(source / "me" / "turn.bvh")
    (source / "README.md").write_text("read me")
    np.savez(source / "cameras.npz", R=np.eye(3))
    output = tmp_path / "out" / "all.poses.npz"
    assert main([str(source), "--output", str(output), "--jobs", "1"]) == 0
    dataset = PoseDataset.load(output)
    assert {row.source: (row.poses, row.sequences) for row in dataset.summary()} == {"dance": (11, 2), "me": (5, 1)}
    assert dataset.profile is H36M_17
    assert dataset.fps == 10
    assert not dataset.synthetic
    dance = dataset.select(dataset.source == "dance")
    metres = dance.poses * dance.torso_lengths_mm[:, None, None] / 1000
    np.testing.assert_allclose(metres, map_keypoints(xyz, MOCAP_22, H36M_17), atol=1e-5)
    assert dataset.frame[dataset.source == "me"].tolist() == [0, 2, 4, 6, 8]
    printed = capsys.readouterr()
    assert "BVH skeleton of 16 joints from 'Hips': unit cm (guessed), up axis y (guessed) (1 file)" in printed.out
    assert "skipped 2 other files" in printed.out
    assert "README.md" in printed.out
    assert "cameras.npz" in printed.out
    assert "dance: 1 subjects, 2 sequences; licence: not stated" in printed.out
    assert "read 3 of 3 files" in printed.err


def counts_of(printed, source):
    row = next(line for line in printed.splitlines() if line.startswith(source + " "))
    columns = ("read", "other frames", "not finite", "degenerate", "near-duplicate", "kept")
    return dict(zip(columns, (int(word.replace(",", "")) for word in row.split()[1:7]), strict=True))


def test_what_is_dropped_is_counted_by_reason(tmp_path, capsys):
    xyz = random_xyz(30)
    xyz[0, 3] = np.nan  # An ear: not among the joints that are kept.
    xyz[2, MOCAP_22.index("left_knee"), 1] = np.nan
    xyz[4] = 0
    xyz[6, MOCAP_22.index("left_hip")] = xyz[6, MOCAP_22.index("right_hip")]
    xyz[10] = xyz[8] * 1.5 + 3
    xyz[22] = xyz[20] = xyz[8]
    write_archive(tmp_path / "dance.npz", xyz, [20, 10], fps=20)
    output = tmp_path / "d.poses.npz"
    assert main([str(tmp_path / "dance.npz"), "--output", str(output), "--drop-near-duplicates", "--jobs", "1"]) == 0
    assert counts_of(capsys.readouterr().out, "dance") == {
        "read": 30,
        "other frames": 15,
        "not finite": 1,
        "degenerate": 2,
        "near-duplicate": 2,
        "kept": 10,
    }
    assert PoseDataset.load(output).frame.tolist() == [0, 16, 24, 28, 32, 36, 40, 48, 52, 56]


def test_frames_are_counted_from_the_start_of_each_sequence(tmp_path, capsys):
    write_archive(tmp_path / "dance.npz", random_xyz(12), [5, 7], fps=30)
    assert main([str(tmp_path / "dance.npz"), "--output", str(tmp_path / "d.poses.npz"), "--fps", "12"]) == 0
    dataset = PoseDataset.load(tmp_path / "d.poses.npz")
    assert dataset.frame.tolist() == [0, 4, 8, 10, 14, 18, 22]
    assert "15 frames a second kept instead of 12: whole steps only" in capsys.readouterr().out


def test_two_processes_give_the_file_that_one_gives(tmp_path):
    for number in range(3):
        write_archive(tmp_path / f"part{number}.npz", random_xyz(5 + number, seed=number), [5 + number])
    inputs = [str(tmp_path / f"part{number}.npz") for number in range(3)]
    for jobs in ("1", "2"):
        assert main([*inputs, inputs[0], "--output", str(tmp_path / f"{jobs}.poses.npz"), "--jobs", jobs]) == 0
    one, two = (PoseDataset.load(tmp_path / f"{jobs}.poses.npz") for jobs in "12")
    assert len(one) == 18
    for name in ("poses", "torso_lengths_mm", "frame", "source", "sequence", "subject"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_profile_unit_and_up_axis_are_taken_from_the_flags(tmp_path, capsys):
    write_bvh(tmp_path / "turn.bvh")
    flags = ["--profile", "coco-13", "--unit", "mm", "--up-axis", "z"]
    assert main([str(tmp_path / "turn.bvh"), "--output", str(tmp_path / "d.poses.npz"), *flags]) == 0
    dataset = PoseDataset.load(tmp_path / "d.poses.npz")
    assert dataset.profile.name == "COCO_13"
    assert (dataset.torso_lengths_mm < 60).all()
    assert "unit mm (given), up axis z (given)" in capsys.readouterr().out


def bad_inputs(folder):
    write_archive(folder / "good.npz", random_xyz(4), [4])
    content = (folder / "good.npz").read_bytes()
    (folder / "cut.npz").write_bytes(content[: len(content) // 2])
    (folder / "cut.bvh").write_text("HIERARCHY\nROOT Hips\n{\n")
    (folder / "notes.txt").write_text("notes")
    (folder / "nothing").mkdir()
    write_archive(folder / "flat.npz", np.zeros((4, 22, 3)), [4])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cut.npz"], "cut.npz"),
        (["good.npz", "cut.bvh"], "cut.bvh"),
        (["good.npz", "notes.txt"], "notes.txt"),
        (["absent"], "absent, which does not exist"),
        (["nothing"], "none in"),
        (["flat.npz"], "at least one usable pose"),
        (["good.npz", "--profile", "H36M_32"], "Expected a profile that maps to H36M_32"),
        (["good.npz", "--profile", "H36M"], "keypoint profile among"),
        (["good.npz", "--fps", "0"], "positive --jobs and --fps"),
        (["good.npz", "--jobs", "0"], "positive --jobs and --fps"),
    ],
)
def test_bad_input_is_one_line_exit_code_two_and_no_output(tmp_path, monkeypatch, capsys, arguments, message):
    bad_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["--jobs", "1", *arguments, "--output", "out.poses.npz"]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_damaged_files_of_a_folder_are_skipped_by_name(tmp_path, capsys):
    bad_inputs(tmp_path)
    assert main([str(tmp_path), "--output", str(tmp_path / "out.poses.npz"), "--jobs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "skipped 3 other files" in printed
    assert all(name in printed for name in ("cut.npz", "cut.bvh", "notes.txt"))
    assert counts_of(printed, "flat")["degenerate"] == 4
    assert len(PoseDataset.load(tmp_path / "out.poses.npz")) == 4


def test_an_output_of_another_suffix_is_refused_before_anything_is_read(tmp_path, capsys):
    assert main([str(tmp_path / "absent"), "--output", str(tmp_path / "out.npz")]) == 2
    assert "ends in .poses.npz" in capsys.readouterr().err


def test_an_interrupted_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    write_archive(tmp_path / "dance.npz", random_xyz(6), [6])
    output = tmp_path / "d.poses.npz"
    arguments = [str(tmp_path / "dance.npz"), "--output", str(output), "--jobs", "1"]
    assert main(arguments) == 0
    before = output.read_bytes()

    def write_half(file, **arrays):
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", write_half)
    assert main(arguments) == 130
    assert output.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["d.poses.npz", "dance.npz"]


@pytest.mark.real_data
def test_real_data_are_all_usable(shared_data, tmp_path, capsys):
    inputs = [str(shared_data / name) for name in ("cmu8", "deepmimic", "bvh_samples")]
    assert main([*inputs, "--output", str(tmp_path / "real.poses.npz"), "--jobs", "1"]) == 0
    printed = capsys.readouterr().out
    assert counts_of(printed, "cmu8")["kept"] == 5702
    assert counts_of(printed, "deepmimic")["kept"] == 351
    assert counts_of(printed, "bvh_samples")["kept"] == 110 + 46 + 459
    assert "unit cm (guessed), up axis y (guessed) (2 files)" in printed


def test_official_folders_become_poses_as_their_page_says(tmp_path, capsys):
    write_human36m(tmp_path / "human36m", "S9", "Directions 1", frames=11)
    write_3dhp(tmp_path / "3dhp", "S1/Seq1", frames=6, numbers=(0, 3))
    output = tmp_path / "both.poses.npz"
    assert main([str(tmp_path / "human36m"), str(tmp_path / "3dhp"), "--output", str(output), "--fps", "25"]) == 0
    dataset = PoseDataset.load(output)
    assert {row.source: row.poses for row in dataset.summary()} == {"human36m": 6, "mpi_inf_3dhp": 6}
    assert set(dataset.subject) == {"S9", "S1"}
    assert "read 2 of 2 files" in capsys.readouterr().err

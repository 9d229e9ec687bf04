"""Splits: the protocol's by name, anybody else's by subject."""

import numpy as np
import pytest

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.splits import default_split, held_out_poses, split_by_field, split_by_subject, split_validation
from vvipe_tf.keypoints import H36M_17


def make_dataset(sequences):
    """Data set with the given (source, subject, sequence, number of poses)."""
    columns = [np.repeat([row[column] for row in sequences], [row[3] for row in sequences]) for column in range(3)]
    count = len(columns[0])
    return PoseDataset.from_metres(
        H36M_17,
        np.random.default_rng(0).normal(size=(count, 17, 3)),
        source=columns[0],
        subject=columns[1],
        sequence=columns[2],
        frame=np.arange(count),
        fps=10,
        licenses=dict.fromkeys(columns[0].tolist(), "CC0"),
    )


def protocol_dataset():
    rehabilitation = [("ui_prmd", f"s{s:02d}", f"m01_s{s:02d}_e{e:02d}", 3) for s in range(1, 11) for e in range(1, 15)]
    idle = [("reactidle", f"{n:03d}", f"{n:03d}_genuine", 20 + n) for n in range(22)]
    others = [("cmu8", "cmu8", f"train_walking_{n}", 4) for n in range(30)]
    others += [("bandai_namco", "bandai1", "dataset-1_bow", 5), ("deepmimic", "deepmimic", "roll", 6)]
    return make_dataset([*rehabilitation, *idle, *others, ("home", "me", "dance", 7)])


def keys(dataset):
    return set(dataset.sequence_frames())


def test_the_protocol_tests_on_its_own_subjects_and_sources():
    parts = default_split(protocol_dataset())
    assert list(parts) == ["train", "validation", "test_seen_lab", "test_unseen_lab", "stress", "other"]
    assert {(source, subject) for source, subject, _ in keys(parts["test_seen_lab"])} == {
        ("ui_prmd", "s09"),
        ("ui_prmd", "s10"),
    }
    assert keys(parts["test_unseen_lab"]) == {("bandai_namco", "bandai1", "dataset-1_bow")}
    assert keys(parts["stress"]) == {("deepmimic", "deepmimic", "roll")}
    assert keys(parts["other"]) == {("home", "me", "dance")}
    assert set(parts["train"].licenses) == set(parts["validation"].licenses) == {"ui_prmd", "reactidle", "cmu8"}


def official_dataset(*sources):
    """Recordings of Human3.6M and MPI-INF-3DHP, those of the sources asked for."""
    human36m = [("human36m", f"S{s}", f"{a} {n}", 3) for s in (1, 5, 6, 7, 8, 9, 11) for a in "ab" for n in range(9)]
    training_set = [("mpi_inf_3dhp", f"S{s}", f"Seq{n}", 4) for s in range(1, 9) for n in (1, 2)]
    test_set = [("mpi_inf_3dhp_test", f"TS{s}", "Seq1", 5) for s in range(1, 7)]
    return make_dataset([row for row in (*human36m, *training_set, *test_set) if row[0] in sources])


def test_human36m_is_trained_on_five_subjects_and_tested_on_two():
    parts = default_split(official_dataset("human36m"))
    people = {name: set(part.subject.tolist()) for name, part in parts.items()}
    assert people["train"] == {"S1", "S5", "S6", "S7", "S8"}
    assert people["validation"] <= people["train"]
    assert people["test_human36m"] == {"S9", "S11"}
    assert list(parts) == ["train", "validation", "test_human36m"]


def test_mpi_inf_3dhp_is_never_trained_on():
    both = default_split(official_dataset("human36m", "mpi_inf_3dhp", "mpi_inf_3dhp_test"))
    assert set(both["train"].licenses) == set(both["validation"].licenses) == {"human36m"}
    assert {name: len(both[name]) for name in ("test_3dhp", "test_3dhp_test_set")} == {
        "test_3dhp": 16 * 4,
        "test_3dhp_test_set": 6 * 5,
    }
    assert list(default_split(official_dataset("mpi_inf_3dhp"))) == ["test_3dhp"]


def test_what_training_sees_is_not_measured_on():
    dataset = official_dataset("human36m", "mpi_inf_3dhp")
    tested = dataset.select(held_out_poses(dataset))
    assert set(tested.subject[tested.source == "human36m"].tolist()) == {"S9", "S11"}
    assert (tested.source == "mpi_inf_3dhp").sum() == 16 * 4
    assert held_out_poses(make_dataset([("home", "me", "a", 2)])).all()
    protocol = protocol_dataset()
    trained = np.isin(
        protocol.frame, np.concatenate([default_split(protocol)[n].frame for n in ("train", "validation")])
    )
    np.testing.assert_array_equal(held_out_poses(protocol), ~trained)


def test_parts_hold_every_pose_once_and_share_no_sequence():
    dataset = protocol_dataset()
    parts = default_split(dataset)
    frames = np.concatenate([part.frame for part in parts.values()])
    np.testing.assert_array_equal(np.sort(frames), np.arange(len(dataset)))
    assert sum(len(keys(part)) for part in parts.values()) == len(keys(dataset))


def test_validation_takes_at_most_its_share_of_each_source():
    training = protocol_dataset()
    training = training.select(np.isin(training.source, ["ui_prmd", "reactidle", "cmu8"]))
    validation, rest = split_validation(training, share=0.1)
    totals, held = ({row.source: row.poses for row in part.summary()} for part in (training, validation))
    for source, total in totals.items():
        assert 0.05 * total < held[source] <= 0.1 * total
    assert len(validation) + len(rest) == len(training)


def test_validation_does_not_depend_on_the_order_of_the_file():
    dataset = protocol_dataset()
    shuffled = dataset.select(np.random.default_rng(5).permutation(len(dataset)))
    assert keys(default_split(dataset)["validation"]) == keys(default_split(shuffled)["validation"])


def test_a_source_whose_sequences_are_all_too_long_validates_nothing():
    validation, rest = split_validation(make_dataset([("lab", "a", "long", 11), ("lab", "b", "longer", 13)]))
    assert len(validation) == 0
    assert len(rest) == 24


def test_parts_without_poses_are_left_out():
    assert list(default_split(make_dataset([("bandai_namco", "bandai1", "bow", 5)]))) == ["test_unseen_lab"]


def test_an_unknown_data_set_is_split_by_subject():
    dataset = make_dataset(
        [("home", f"p{person}", f"take{take}", 2 + take) for person in range(11) for take in range(3)]
    )
    parts = default_split(dataset, seed=3)
    people = {name: set(part.subject.tolist()) for name, part in parts.items()}
    assert {name: len(names) for name, names in people.items()} == {"train": 8, "validation": 1, "test": 2}
    assert len(set.union(*people.values())) == 11
    assert sum(len(part) for part in parts.values()) == len(dataset)
    again = split_by_subject(dataset, seed=3)
    assert all(set(again[name].subject.tolist()) == names for name, names in people.items())
    assert any(keys(default_split(dataset, seed)["test"]) != keys(parts["test"]) for seed in range(4, 8))


def test_two_people_of_one_name_in_two_sources_are_two_people():
    dataset = make_dataset([("a", "p", "x", 2), ("b", "p", "x", 3), ("c", "p", "x", 4)])
    assert {name: len(part.licenses) for name, part in split_by_subject(dataset).items()} == {
        "train": 1,
        "validation": 1,
        "test": 1,
    }


def test_a_single_subject_is_split_by_sequence():
    dataset = make_dataset([("home", "me", f"take{take}", 2) for take in range(5)])
    parts = split_by_subject(dataset)
    assert {name: len(keys(part)) for name, part in parts.items()} == {"train": 3, "validation": 1, "test": 1}


def test_too_little_to_split_is_an_error():
    with pytest.raises(ValueError, match="at least 3 subjects, or 3 sequences"):
        default_split(make_dataset([("home", "me", "a", 2), ("home", "you", "b", 3)]))


def test_a_field_splits_into_chosen_and_rest():
    dataset = make_dataset([("lab", "a", "x", 2), ("lab", "b", "y", 3), ("lab", "c", "x", 4)])
    chosen, rest = split_by_field(dataset, "sequence", ["x"])
    assert chosen.subject.tolist() == ["a"] * 2 + ["c"] * 4
    assert rest.subject.tolist() == ["b"] * 3


@pytest.mark.parametrize(("field", "values"), [("poses", ["x"]), ("subject", ["a", "nobody"])])
def test_an_unknown_field_or_value_is_an_error(field, values):
    with pytest.raises(ValueError, match="Expected"):
        split_by_field(make_dataset([("lab", "a", "x", 2)]), field, values)

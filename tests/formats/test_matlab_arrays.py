"""Both formats of `.mat` give the same arrays; anything else is one clear error."""

import h5py
import numpy as np
import pytest
import scipy.io

from tests.formats.motion_capture.official_files import write_matlab
from vvipe_tf.formats.matlab_arrays import read_matlab_arrays

ARRAYS = {
    "flat": np.arange(6.0)[None],
    "deep": np.arange(120.0).reshape(2, 3, 4, 5),
    "cells": [np.arange(6.0).reshape(2, 3), np.arange(20.0).reshape(4, 5)],
}


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_both_formats_keep_the_axes_of_matlab_and_the_order_of_cells(tmp_path, version):
    write_matlab(tmp_path / "file.mat", ARRAYS, version)
    read = read_matlab_arrays(tmp_path / "file.mat", ("cells", "deep", "flat"))
    for name in ("flat", "deep"):
        np.testing.assert_array_equal(read[name], ARRAYS[name])
    assert len(read["cells"]) == 2
    for cell, written in zip(read["cells"], ARRAYS["cells"], strict=True):
        np.testing.assert_array_equal(cell, written)


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize("keep", [0.0, 0.2, 0.6, 0.97])
def test_a_truncated_file_is_one_clear_error(tmp_path, version, keep):
    write_matlab(tmp_path / "cut.mat", ARRAYS, version)
    content = (tmp_path / "cut.mat").read_bytes()
    (tmp_path / "cut.mat").write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match=r"Expected a \.mat file with deep, cells\. Received: .*cut\.mat: ."):
        read_matlab_arrays(tmp_path / "cut.mat", ("deep", "cells"))


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_an_absent_variable_is_named(tmp_path, version):
    write_matlab(tmp_path / "file.mat", ARRAYS, version)
    with pytest.raises(ValueError, match="absent"):
        read_matlab_arrays(tmp_path / "file.mat", ("flat", "absent"))


def test_text_groups_and_absent_files_are_refused(tmp_path):
    scipy.io.savemat(tmp_path / "text.mat", {"flat": "words"})
    with h5py.File(tmp_path / "group.mat", "w") as file:
        file.create_group("flat")
    for name in ("text", "group"):
        with pytest.raises(ValueError, match=f"{name}.mat"):
            read_matlab_arrays(tmp_path / f"{name}.mat", ("flat",))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.mat"):
        read_matlab_arrays(tmp_path / "nowhere.mat", ("flat",))

"""Which moments a picture shows."""

import numpy as np
import pytest

from vvipe_tf.apps.pose_moments import choose_moments, spread_out, timeline


def test_moments_without_anybody_are_part_of_a_sequence():
    assert timeline([np.array([4, 6, 6]), np.array([12, 10])]).tolist() == [4, 6, 8, 10, 12]


def test_numbers_far_apart_are_names_and_no_clock():
    assert timeline([np.array([397133, 139, 785])]).tolist() == [139, 785, 397133]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, [3, 4, 5, 6, 7, 8]),
        ("5,3", [3, 5]),
        ("4:7", [4, 5, 6]),
        (":6", [3, 4, 5]),
        ("5:", [5, 6, 7, 8]),
        ("::2", [3, 5, 7]),
        ("0:100:3", [3, 6]),
    ],
)
def test_frames_are_chosen_by_number(wanted, expected):
    assert choose_moments(np.arange(3, 9), wanted).tolist() == expected


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("2,4", r"Expected frames from 3 to 8. Received: \[2\]"),
        ("20:30", "which has none"),
        ("1:2:3:4", "Expected frames as 3,7,12 or START:STOP:STEP"),
        ("four", "Expected frames as 3,7,12 or START:STOP:STEP"),
        ("", "Expected frames as 3,7,12 or START:STOP:STEP"),
        ("::0", "a step of at least 1"),
    ],
)
def test_frames_that_cannot_be_had_are_refused(wanted, message):
    with pytest.raises(ValueError, match=message):
        choose_moments(np.arange(3, 9), wanted)


def test_a_few_of_many_are_evenly_spread():
    assert spread_out(np.arange(10, 21), 3).tolist() == [10, 15, 20]
    assert spread_out(np.array([2, 9]), 3).tolist() == [2, 9]

"""Where the poses of a run come from, and how they are split."""

from collections.abc import Mapping

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.splits import default_split
from vvipe_tf.data.synthetic import generate_synthetic

SYNTHETIC = "synthetic"
# The built-in poses are the same for every run; the seed of a run does not change its data.
_SYNTHETIC_SEED = 0


def load_splits(data: str) -> Mapping[str, PoseDataset]:
    """Loads the poses of `--data` and splits them.

    Args:
        data: Path of a `.poses.npz`, or `"synthetic"` for the built-in poses.

    Returns:
        Data sets by the name of the split: `train`, `validation`, and one or more `test...`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no data set, or holds too little to be split.
    """
    dataset = generate_synthetic(seed=_SYNTHETIC_SEED) if data == SYNTHETIC else PoseDataset.load(data)
    return default_split(dataset)

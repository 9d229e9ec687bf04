"""The embedded data set: generated people who perform generated actions."""

from vvipe_tf.data.synthetic.generator import generate_synthetic

__all__ = ["generate_synthetic"]

"""Noise for sampled embeddings, which goes on after an interruption and differs between replicas."""

import keras
import tensorflow as tf


def draw_noise(generator: keras.random.SeedGenerator, shape: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Draws standard normal noise; Keras' own layers draw the same on each replica.

    Args:
        generator: Where the seed comes from; its state is a variable, saved with the model.
        shape: Shape of the noise, int32.
        dtype: Its dtype.

    Returns:
        Noise of that shape.
    """
    seed = tf.cast(generator.next(), tf.int32)
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        seed += tf.stack([0, tf.cast(context.replica_id_in_sync_group, tf.int32)])
    return tf.random.stateless_normal(shape, seed=seed, dtype=dtype)

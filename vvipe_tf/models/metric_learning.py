"""The part of a train step that both stages share: triplets over the global batch, and trackers."""

from abc import abstractmethod

import keras
import tensorflow as tf

from vvipe_tf.models.losses import TripletLoss, triplet_loss
from vvipe_tf.models.mining import mine_triplets, pairwise_embedding_distance


class MetricLearningModel(keras.Model):
    """Keras model whose loss has a mined triplet term.

    Subclasses write `compute_terms` and the models' own `call`; the train step is here, written out.

    Args:
        triplet_weight: Weight of the triplet term; 0 leaves it out, mining included.
        margin: Margin of the triplet term, embedding units.
        negative_distance: Least MPJPE between positive and negative, torso units.
        global_mining: Whether triplets are mined over the batches of all replicas together.
        mining: Negatives: `"paper"` for the next nearest by 3D pose, `"hard"` for the nearest in the embedding,
            `"semi_hard"` for the nearest in the embedding beyond the positive.
    """

    def __init__(
        self,
        triplet_weight: float = 1.0,
        margin: float = 1.0,
        negative_distance: float = 0.1,
        global_mining: bool = True,
        mining: str = "paper",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.triplet_weight = triplet_weight
        self.margin = margin
        self.negative_distance = negative_distance
        self.global_mining = global_mining
        self.mining = mining
        self.trackers = {}

    def add_trackers(self, *names: str) -> None:
        """Adds a running mean for each name, and for the triplet summaries; `compute_terms` gives their values."""
        if self.triplet_weight:
            names += ("triplet_loss", "active_triplet_ratio", "positive_distance", "negative_distance")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}

    @property
    def metrics(self):
        """The running means, reset by Keras at each epoch."""
        return list(self.trackers.values())

    @abstractmethod
    def compute_terms(self, data, training: bool) -> dict[str, tf.Tensor]:
        """Scalars of one batch, one for each tracker; `"loss"` is what is minimised."""

    def train_step(self, data):
        """One step: loss, gradients, update. The loss is scaled where the precision is mixed."""
        with tf.GradientTape() as tape:
            terms = self.compute_terms(data, training=True)
            # Gradients are summed over the replicas.
            loss = terms["loss"] / tf.distribute.get_strategy().num_replicas_in_sync
            loss = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self._track(terms)

    def test_step(self, data):
        """Loss terms without an update."""
        return self._track(self.compute_terms(data, training=False))

    def add_triplet_terms(self, terms: dict, embedding: tf.Tensor, pose: tf.Tensor) -> None:
        """Adds the triplet term and its summaries to `terms` and to `terms["loss"]`."""
        if not self.triplet_weight:
            return
        triplet = self.compute_triplet_loss(embedding, pose)
        terms["loss"] += self.triplet_weight * triplet.loss
        terms |= {
            "triplet_loss": triplet.loss,
            "active_triplet_ratio": triplet.active_ratio,
            "positive_distance": triplet.positive_distance,
            "negative_distance": triplet.negative_distance,
        }

    def compute_triplet_loss(self, embedding: tf.Tensor, pose: tf.Tensor) -> TripletLoss:
        """Mines by 3D pose and applies the triplet loss to the embeddings.

        Args:
            embedding: (batch, embedding_dim).
            pose: (batch, joints, 3) true canonical poses, torso units.

        Returns:
            TripletLoss over the anchors of this replica.
        """
        context = tf.distribute.get_replica_context()
        if self.global_mining and context is not None and context.num_replicas_in_sync > 1:
            candidates, poses = _gather(context, embedding), _gather(context, pose)
            # Replicas may hold different numbers of examples, as in a partial last batch.
            sizes = context.all_gather(tf.shape(pose)[:1], axis=0)
            first_index = tf.reduce_sum(sizes[: context.replica_id_in_sync_group])
        else:
            candidates, poses, first_index = embedding, None, 0
        nearness = None if self.mining == "paper" else pairwise_embedding_distance(embedding, candidates)
        triplets = mine_triplets(pose, self.negative_distance, poses, first_index, nearness, self.mining == "semi_hard")
        return triplet_loss(embedding, candidates, triplets, self.margin)

    def _track(self, terms):
        for name, tracker in self.trackers.items():
            tracker.update_state(terms[name])
        return {name: tracker.result() for name, tracker in self.trackers.items()}


def _gather(context, values):
    # The reshape restores the static shape, and makes the gradient dense, which all_gather needs.
    return tf.reshape(context.all_gather(values, axis=0), (-1, *values.shape[1:]))

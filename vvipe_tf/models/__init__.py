"""Networks, losses, mining and the Keras models."""

"""The commands of `python -m vvipe_tf`: one module each, with `add_arguments(parser)` and `run(arguments)`."""

"""Command line tools that prepare data, train and evaluate."""

"""Export to TFLite, with verification."""

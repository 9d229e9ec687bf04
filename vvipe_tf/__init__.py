"""V-VIPE: variational view-invariant pose embedding."""

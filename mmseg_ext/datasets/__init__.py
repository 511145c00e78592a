"""Data sets of the data plane."""

"""FDA for udabench; importing the package registers its method."""

from udabench_fda.fda import FDA

__all__ = ["FDA"]

"""Statistics of measured numbers: over seeds, over images, over cells."""

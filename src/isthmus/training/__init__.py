"""Training: one loop, its schedule, optimiser, checkpoints and callbacks."""

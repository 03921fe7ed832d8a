"""Which track of the camera belongs to which phone; numpy and scipy only."""

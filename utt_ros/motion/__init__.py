"""Motion of walking people: velocity filters, gait features, gait synthesis; numpy and scipy."""

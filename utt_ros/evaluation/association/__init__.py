"""Association on recordings with labels removed: encounters, scorer training, live replay."""

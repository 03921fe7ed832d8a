"""Track-to-phone association: features, likelihood and assignment; numpy and scipy only."""

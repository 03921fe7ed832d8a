"""Camera projection and compass heading; numpy only."""

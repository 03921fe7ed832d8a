"""Exchange of weights: wire form, checks, averaging, rounds; numpy only."""

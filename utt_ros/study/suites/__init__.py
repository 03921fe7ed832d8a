"""The suites of `utt evaluate`, by name."""

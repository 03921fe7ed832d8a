"""The `utt` command."""

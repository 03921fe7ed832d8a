"""One thin node per file: convert, call, publish."""

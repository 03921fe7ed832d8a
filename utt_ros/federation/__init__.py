"""Federation: wire form, validation, aggregation, rounds and checkpoints of weights."""

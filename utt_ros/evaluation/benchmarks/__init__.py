"""Benchmarks of `utt bench`: load generator, naive pipeline, latency and throughput."""

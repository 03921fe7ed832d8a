"""Encoders, fusors, decoders and the unified twin model; torch."""

"""Unified twin model: encoders, fusors, decoders, heads, export and model files; torch."""

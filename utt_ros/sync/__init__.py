"""Alignment of sensor streams into samples and windows on integer stamps; numpy only."""

"""Simulated sessions: people, phones, a camera and an access point; docs/simulator.md."""

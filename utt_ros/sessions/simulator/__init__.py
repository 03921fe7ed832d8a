"""Sessions out of nothing: people, phones, a camera and an access point; docs/simulator.md."""

"""Sockets, HTTP and bounded queues of network sensor sources."""

"""Infrastructure shared by the nodes: parameters, QoS, diagnostics, drivers, processes."""

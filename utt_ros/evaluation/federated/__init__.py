"""Federation strategies, costs and bounds for research."""

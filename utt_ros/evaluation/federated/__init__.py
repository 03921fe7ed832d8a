"""Federation strategies, communication cost and the convergence bound, for research."""

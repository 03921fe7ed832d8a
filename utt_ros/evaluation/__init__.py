"""Experiments on recorded sessions: training, the paper's tables, figures and their report."""

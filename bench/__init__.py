"""Benchmarks: ratios against something named. ``python -m bench`` runs them all."""

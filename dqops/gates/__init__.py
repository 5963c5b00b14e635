"""Conditions that a result must meet."""

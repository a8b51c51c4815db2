"""Trainings, started as programs of their own and read when they ended."""

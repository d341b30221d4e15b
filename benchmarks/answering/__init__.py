"""Whole answers: what is cited, repaired, declined."""

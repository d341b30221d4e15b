"""Telling right claims from wrong ones."""

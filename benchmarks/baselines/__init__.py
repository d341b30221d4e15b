"""The ways of others, as systems over the same index and models."""

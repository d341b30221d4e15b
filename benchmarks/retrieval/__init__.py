"""Finding and ranking the sentences that answer."""

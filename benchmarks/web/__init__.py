"""The page and its server: time to show, visitors at once, pictures."""

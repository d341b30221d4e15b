"""Training of the small models that come with Footnote."""

"""A person's own text in, each sentence with what the articles say of it out: text.py."""

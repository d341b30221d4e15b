"""The content of a file in, articles out: one file a format; ingest/formats.py, one folder up, has
the table of them. Read text.py first.
"""

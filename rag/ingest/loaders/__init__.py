"""The content of a file in, articles out: one file a format; formats.py, one folder up, has the
table of them. Read text.py first.
"""

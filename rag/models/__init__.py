"""A model's name in, its files on disk out: the catalogue, the download, the checksums; and the
encoder, in this process or in one beside it.
Read catalogue.py first, then files.py and encoder.py.
"""

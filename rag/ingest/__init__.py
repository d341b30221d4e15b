"""A folder of files in, articles and their passages out.
loaders/ has one file a format; uploads.py adds and removes files.
Read folder.py first, then formats.py.
"""

"""The words of a command line in, an exit code out: one file a command, its arguments beside what
it does. Read main.py first, then ask.py.
"""

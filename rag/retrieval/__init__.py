"""A question and an index in, ranked evidence out.
Read search.py first, then ranking.py.
"""

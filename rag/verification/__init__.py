"""A claim and a sentence in, whether the sentence says the claim out. Read verifiers.py first, then
literal.py.
"""

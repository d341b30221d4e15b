"""A claim and its sentences in, what is wrong with the claim out: one file a rule, and verifiers
that judge by meaning. Read verifiers.py first, then rules.py.
"""

"""A question and its evidence in, a draft out, in pieces: prompts, and one file a way of running a
language model.
Read generators.py first, then prompts.py.
"""

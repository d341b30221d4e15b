"""Exchanges in, conversations that are kept out: storage by visitor, export, ratings.
Read conversation.py first, then storage.py.
"""

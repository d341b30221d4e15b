"""A question in, an answer out: search, decline or draft, cite, verify.
Read pipeline.py first: Rag answers in one function; then confidence.py and cite.py.
"""

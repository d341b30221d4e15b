"""Questions with known answers and a system in; metrics, a report and a comparison out.
Read run.py first, then measures.py.
"""

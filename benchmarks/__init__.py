"""Measurements: one folder a room of rag/; `benchmarks/results/` has what they wrote, named by
commit. Run one as `python -m benchmarks.retrieval.retrieval`, from the root.
"""

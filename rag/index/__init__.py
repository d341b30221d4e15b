"""Articles and their passages in; a folder with a store, vectors and BM25 out, and that folder
opened again. Kept in step with the articles by sync.
Read sync.py first for writing, index.py for reading.
"""

"""Text in, its parts out: sentences, search terms, numbers, dates, names, negation; and what is
done to text that other people wrote. Knows nothing of files, indexes or models.
Read sentences.py first, then terms.py.
"""

"""What the page and the interfaces for programs share: settings, access, limits, problems, metrics,
and updates behind the questions. It knows the engine by the Protocol in engine.py alone.
Read engine.py first, then settings.py.
"""

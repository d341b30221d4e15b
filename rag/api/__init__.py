"""Requests of programs in, answers as JSON or events out: HTTP, OpenAI-compatible, MCP.
Read routes.py first, then asking.py.
"""

"""When it is done: one leader looks, every second, for work that nobody does, and wakes whoever does it.

It never does the work itself, so two leaders are harmless and none loses nothing: what is due is in SQL.
"""

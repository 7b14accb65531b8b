"""One use case per module. Each says by Protocol what it needs from outside (see ports.py)."""

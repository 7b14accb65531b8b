"""The items of both tables, as they are stored, and their translation to the domain and back.

These models are the schema of the tables. The domain does not know them.
"""

"""The models of every request and response, a module for each thing that they are about.

Their names are unique over the whole API. A function imports those that it speaks, since building
them is a good part of a cold start.
"""

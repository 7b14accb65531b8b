"""A stand-in for the Customer, Product and Shipment APIs, which belong to other teams.

It is a real HTTP server that follows their contract under ``/api``, and that tests and demos
steer under ``/_control`` (``local.upstream.control``). Start it with
``python -m local.upstream --port 9000``. Given a credential, it refuses requests without it.
"""

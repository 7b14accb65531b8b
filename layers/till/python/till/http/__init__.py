"""The wire: routes, models, problems and the identity of the caller."""

"""What exists only to run Till on one's own machine: emulator, stand-in, demo data, set-up.

Nothing here is deployed. Run ``make run``, or see ``local.run``.
"""

"""The rules of money, credit and purchases. Standard library only; no I/O; frozen values."""

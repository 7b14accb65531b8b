"""Checks what Till wrote, and shares nothing with the code that wrote it.

Everything here follows docs/data-model.md, "The chain". An import contract keeps ``till`` out, so
that one mistake cannot be made in both.
"""

"""Warnings about a policy that can be loaded, and is perhaps not what was meant."""

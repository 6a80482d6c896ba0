"""Bounces without usable delivery-status fields: read from a header field, or from prose."""

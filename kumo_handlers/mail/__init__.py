"""The words of mail: addresses, replies, sessions and envelopes."""

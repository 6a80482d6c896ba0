"""Policies of KumoMTA, in Lua: the part of them that is about listening."""

"""The kumo-handlers command, one file a sub-command."""

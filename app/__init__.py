"""The example application: a Salmon app that uses kumo_handlers as any would."""

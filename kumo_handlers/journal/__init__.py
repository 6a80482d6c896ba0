"""Log records in KumoMTA's shape, and where they are written."""

"""Configuration of the example application, in Salmon's layout."""

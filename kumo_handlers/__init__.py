"""KumoMTA's listener domains, bounce and complaint logging, for Salmon mail applications."""

__version__ = "0.1.0"

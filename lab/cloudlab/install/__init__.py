"""Installs what the host misses: Debian packages, the Python environment, the machines' image."""

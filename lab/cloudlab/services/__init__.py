"""The cloud's processes: MariaDB and the OpenStack services, their configuration and first content."""

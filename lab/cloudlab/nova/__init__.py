"""Nova in one process, and its driver that boots the lab's machines."""

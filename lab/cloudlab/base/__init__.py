"""What every part uses: running commands, process identity, files, progress, the lock."""

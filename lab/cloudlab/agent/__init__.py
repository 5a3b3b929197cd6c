"""The host agent: keeps rules, host legs and log sizes in step."""

"""Scenarios of scripts/abuse: a module each, whose `run(binary)` returns what went wrong."""

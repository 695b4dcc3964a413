"""The cases of scripts/fuzz."""

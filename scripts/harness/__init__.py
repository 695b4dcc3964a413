"""What the fuzz, soak and benchmark scripts share. Standard library only."""

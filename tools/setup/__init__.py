"""What a first run installs, and nothing when it is there."""

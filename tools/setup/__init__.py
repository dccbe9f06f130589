"""What a first run installs and builds, and what it needs to be there."""

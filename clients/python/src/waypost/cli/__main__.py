"""`python -m waypost.cli`, for where the script is not on the path."""

from waypost.cli.entry import main

main()

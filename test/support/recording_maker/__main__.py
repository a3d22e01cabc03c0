"""`python3 -m recording_maker`, the same as the launcher."""

from .cli import main

main()

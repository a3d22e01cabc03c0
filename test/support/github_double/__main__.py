"""`python3 -m github_double`, the same as the launcher."""

from .cli import main

main()

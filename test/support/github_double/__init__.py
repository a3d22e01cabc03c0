"""A strict stand-in for the read side of GitHub's REST API, version 3, and of its GraphQL API.

It serves recorded repositories, lets a test edit them while it runs, counts
what clients ask, and misbehaves on request.  See cli.py for the command line,
control.py for the `/_double/` interface and client.py for its use from Python.

Documentation followed: https://docs.github.com/en/rest?apiVersion=2022-11-28
"""

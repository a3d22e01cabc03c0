"""GitHub's GraphQL API over the double's model; query only, no mutations.

endpoint.py answers POST /graphql; language.py parses and validates with Debian's
python3-graphql-core against schema.graphql and schema_timeline.graphql; cost.py
counts nodes and points before a query runs; execute.py runs it over the objects
that repository.py, issues.py, timeline.py and people.py make of the model.

Documentation followed: https://docs.github.com/en/graphql
"""

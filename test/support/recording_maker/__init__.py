"""Makes recordings: believable repositories from a seed, in the recorded form.

See cli.py for the command line and writer.py for the form.
"""

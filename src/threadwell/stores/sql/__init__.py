"""What the stores over SQL databases share: index entries, their keys, and how a search is led.

Nothing here knows a database: a store writes the rows and the SQL of its own.
"""

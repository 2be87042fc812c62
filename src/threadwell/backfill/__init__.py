"""The import's work over millions of messages: on all cores of a machine, or on a cluster.

Messages are read and spread by what belongs together (``spreading``), and each part is made by
itself (``making``). Nothing of the record is decided here: that is ``intake.whole``.
"""

"""What Android keeps of a text message, for the channels that read what apps export of it.

No channel: each app has a folder of its own beside this one.
"""

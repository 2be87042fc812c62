"""What WhatsApp says of a chat in English: one sentence on a line."""

LINES = """
messages and calls are end-to-end encrypted{}
messages and calls are now end-to-end encrypted{}
messages to this chat and calls are now secured with end-to-end encryption{}
messages to this group are now secured with end-to-end encryption{}
messages you send to this chat and calls are now secured with end-to-end encryption{}
messages you send to this group are now secured with end-to-end encryption{}
messages you send to yourself are end-to-end encrypted{}
your security code with {who} changed{}
{who}'s security code changed{}
this chat is with a business account{}
this chat is with an official business account{}
this business account has now registered as a standard account{}
this business is now using a secure service{}
this business uses a secure service{}
this business uses other companies{}
this business works with other companies{}
{who} is a business account
{who} is a contact
you turned on disappearing messages{}
you turned off disappearing messages{}
you updated the message timer{}
you use a default timer for disappearing messages{}
{who} turned on disappearing messages{}
{who} turned off disappearing messages{}
{who} updated the message timer{}
{who} uses a default timer for disappearing messages{}
disappearing messages were turned on{}
disappearing messages were turned off{}
the message timer was updated{}
you turned on advanced chat privacy{}
you turned off advanced chat privacy{}
{who} turned on advanced chat privacy{}
{who} turned off advanced chat privacy{}
you blocked this contact{}
you unblocked this contact{}
you blocked this business{}
you unblocked this business{}
you created this group
you created group {}
{who} created this group
{who} created group {}
{who} created the group {}
you changed the subject {}
you changed the group name {}
you changed this group's icon
you changed the group description
you changed this group's settings{}
you changed the group settings{}
{who} changed the subject {}
{who} changed the group name {}
{who} changed this group's icon
{who} changed the group description
{who} changed this group's settings{}
{who} changed the group settings{}
{who} deleted this group's icon
{who} deleted the group description
you were added
you added {new}
{who} added {new}
{joiner} was added
{joiner} were added
you left
you joined using {}
{who} left
{who} left the group
{joiner} joined using this group's invite link
{joiner} joined using an invite link
{joiner} joined using your invite
{joiner} joined from the community
{who} requested to join{}
you removed {}
you were removed
{who} removed {}
{who} was removed
you're now an admin
you're no longer an admin
{who} is now an admin
{who} is no longer an admin
{who} changed their phone number{}
{who} changed to {}
you changed your phone number{}
you pinned a message
you unpinned a message
{who} pinned a message
{who} unpinned a message
{who} started a call
{who} started a video call
{who} added this group to the community{}
missed voice call
missed voice call, {}
missed voice call. {}
missed video call
missed video call, {}
missed video call. {}
missed group voice call
missed group voice call, {}
missed group video call
missed group video call, {}
voice call, {}
voice call. {}
video call, {}
video call. {}
group call, {}
group call. {}
silenced voice call
silenced voice call, {}
silenced voice call. {}
silenced video call
silenced video call, {}
silenced video call. {}
call failed, {}
call failed. {}
"""

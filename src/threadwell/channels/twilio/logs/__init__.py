"""Message logs: what Twilio keeps of each message, as programs and people take it out."""

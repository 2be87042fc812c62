"""Threads in which messages wait for an answer: who takes care of them, and until when."""

"""The endpoints of OAuth 2: people and programs get tokens here."""

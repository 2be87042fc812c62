"""Who saw and changed what: recorded as it happens, chained, and shown as AuditEvents."""

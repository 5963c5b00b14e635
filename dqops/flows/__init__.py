"""The verbs that join rooms. No arithmetic lives here."""

"""What comes back: frozen, mergeable, printable results. No algorithms live here."""

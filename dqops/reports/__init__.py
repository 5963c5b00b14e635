"""Results as people and tools read them. Reports arrange; they never compute and import results alone."""

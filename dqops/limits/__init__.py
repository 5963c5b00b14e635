"""What no model and no repair can pass: Bayes error, certain predictions and certain models."""

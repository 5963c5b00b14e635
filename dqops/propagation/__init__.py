"""From doubts to scores: what a repair gains the user's model, and what the truth would."""

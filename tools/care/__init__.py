"""What looks after a deployment for years: export and import of its data, other signing keys, its cost, a way back."""

"""What each idea in the network over consecutive beats is worth, by cross-validation inside the training records."""

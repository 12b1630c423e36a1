"""A source becomes batches of tensors, and tensors become rows again."""

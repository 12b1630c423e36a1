"""The claims of the lecture, one module a claim: its data, its picture, its checked numbers."""

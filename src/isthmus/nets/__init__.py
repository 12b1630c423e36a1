"""Plain torch modules: the networks that encoders and decoders are made of."""

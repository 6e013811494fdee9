"""The champion over HTTP: recordings in, labelled beats out; needs no TensorFlow."""

"""A trained model in, labelled recordings out; needs neither TensorFlow nor MLflow."""

"""What a trained model withstands and what it looks at, measured on validation beats; the test side stays closed."""

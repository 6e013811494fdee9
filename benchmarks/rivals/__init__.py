"""The same network as tutorials write it; each script also runs by itself and imports nothing of this project."""

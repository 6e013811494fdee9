"""Whether a registered version may become champion, and making it so."""

"""The one error that is meant for the person at the terminal."""

USER_ERROR_EXIT_CODE = 2


class UserError(Exception):
    """Input that the user can mend; one line that names the file, the place and the remedy."""

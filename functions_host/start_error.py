"""The one error that means: the app, its configuration or its folder is not fit to be hosted.

The real host logs such errors and keeps running without the functions concerned, so that a fault looks like a
function that never fires. Here it ends the start with exit code 2.
"""


class StartError(Exception):
    """The host refuses to start; the message is for a person."""

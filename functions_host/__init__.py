"""The local Functions host: what the .NET host does around Microsoft's Python worker library, for one app.

It knows nothing of the app it hosts: modules of the app are taken from the folder given by `--app`, never from
the checkout this package lies in. README.md says what is imitated and what is not.
"""

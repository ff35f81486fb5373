"""The command ``connectwise-flows``: everything that an operations engineer starts, looks at or undoes.

- ``app``: the commands under their names, and where their errors end.
- ``programs``: up, demo, bootstrap, serve, receiver, sandbox, fuzz.
- ``runs``: check, plan, apply, report, undo; each is a run of a deployment. ``following`` starts such a run,
  waits for it and reads what it published; ``outcome`` says how it ended.
- ``rules``: rules export, import, check. ``rules_file`` reads and writes the files.
- ``server``: which Prefect server is meant. ``output``: what goes where, and the exit codes.

Modules of commands import Prefect inside of their functions, so that ``--help`` answers at once.
"""

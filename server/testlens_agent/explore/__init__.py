"""A warm pytest session that tries tests which are not written yet, each in a process of its own, behind a sandbox.

    server --- session ---+--- stage ---+--- copy: one `try` or `describe`
                          |             +--- copy
                          +--- copy (where no stage can be prepared)

The *session* (session.py, plugin.py, serving.py) has loaded pytest, its plugins and the conftest files, as any run of
the project's tests does; it reads commands and watches the clock. A *stage* (stages.py, rehearsal.py, copies.py) is a
copy of it that is shut in and has imported and set up what the tests at hand need. A copy (copies.py) does one task and
ends: trial.py runs tests, describe.py looks at a function. Where processes cannot be copied, each task gets a session
of its own (workers.py decides that). What shuts in: confined.py, sandbox.py, unaudited.py, landlock.py, limits.py.
"""

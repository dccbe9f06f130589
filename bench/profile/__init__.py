"""Where the time goes: `python -m bench.profile` writes profile.txt beside this file.

pieces      what single steps of a call cost inside workerd, timed from outside: its own clock stands still
functions   which functions of the domain take the time, per call, under CPython
engine      what workerd does while it serves: Python, the glue to JavaScript, the runtime, garbage
"""

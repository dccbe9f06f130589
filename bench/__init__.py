"""How fast Waypost is, beside what one would take instead: `make bench`, or `python -m bench --quick`.

A number of one machine means nothing on another one, so every figure is a ratio: the subject and its reference are
measured in the same round, in turns, and the figures are the median of the rounds and its quartiles.

    __main__               command line, order of the sections, what is written
    sections               one file per question
    profiling, guard       where the time goes; what has become slower
    rounds, load, arrivals how something is measured
    workerd, peers         what is measured
    reference              Workers and servers to compare with
    figures, stats         numbers and their words
"""

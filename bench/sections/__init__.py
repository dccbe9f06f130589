"""The questions, one a file. Each is a function `measure(mode, progress, results)`."""

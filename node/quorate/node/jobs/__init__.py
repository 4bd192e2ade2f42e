"""Jobs: a program, its clients and their values, run on a network or in this process, and what came of it."""

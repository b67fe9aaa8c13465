"""``bin/bench``: what Relance does per second, and how long it makes anyone wait, on this machine.

Each figure stands beside a baseline measured in the same run, on the same cores, in the same minute: machines differ,
ratios do not.
"""

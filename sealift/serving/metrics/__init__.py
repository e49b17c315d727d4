"""What the server tells of itself to Prometheus. Knows no HTTP, and no model but by its name and digests.

counts.py       what is counted for each request: plain numbers, for a microsecond or two
histogram.py    how many values were at most so large
exposition.py   families of samples → Prometheus' text format
process.py      this process: CPU, memory, files
cgroup.py       its container: CPU and memory, and their limits
families.py     all of these → families

The text is written here, not by prometheus_client: loading that takes 70 to 90 ms and 6 MB of each server, for a format
of five rules. It is the oracle of the tests.
"""

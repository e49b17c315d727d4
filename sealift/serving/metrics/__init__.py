"""The server's metrics for Prometheus. Knows no HTTP, and of the model only its name and digests.

counts.py       counters for each request: plain numbers that take a microsecond or two
histogram.py    Prometheus' classic histogram
exposition.py   families of samples → Prometheus' text format
process.py      CPU, memory and files of this process
cgroup.py       CPU and memory of the container, and their limits
families.py     all of these → families

This package writes the text itself: loading prometheus_client takes 70 to 90 ms and 6 MB in each server, for a format
of five rules. The tests compare with prometheus_client.
"""

"""The conformance kit: does a method or an encoder, whoever wrote it, keep the benchmark's rules?

`python -m mmseg_ext.conformance JOB RESULT` checks one of them on the CPU, on random images. Each
check runs in a process of its own and ends in one verdict (`mmseg_ext.conformance.kit` lists them).
No other module of the package imports this one.
"""

"""What a training step costs, measured from outside: no method knows of it.

`python -m mmseg_ext.profiling JOB RESULT` measures one method with one encoder in a process of its
own. No other module of the package imports this one.
"""

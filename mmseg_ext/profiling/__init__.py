"""What a training step costs, measured from outside: no method knows of it.

`python -m mmseg_ext.profiling JOB RESULT` measures one method with one encoder in a process of its
own. Of the package only `mmseg_ext.conformance` imports this one.
"""

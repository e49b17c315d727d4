"""DATASET: where rows come from, and what is done to them before anybody sees them.

dataset.py     what rows are, once they are read
prepared.py    from a reference to encoded rows, without torch: read → mask → check the quality → encode
load.py        the same as tensors, in memory or streamed
column_choice.py  which columns a job uses, by their names alone
builtin.py     scikit-learn's sets; tables.py CSV and Parquet; arrays.py NPZ and functions: all these read
masking.py     takes personal data out; redaction.py finds it in texts
spelling.py    numbers and dates in another spelling, read or refused
quality.py     what is wrong with the rows, before anything is trained
encoding.py    columns → numbers; words.py texts → ids; images.py files → pixels
streamed.py    rows of a Parquet file larger than memory
split.py       which are learnt from, which validate, which are held out; parts.py by a column
"""

"""DATASET: reading rows, and preparing them before any other code sees them.

dataset.py     rows after reading, and their meaning
prepared.py    from a reference to encoded rows, without torch: read → mask → check the quality → encode
load.py        the same as tensors, in memory or streamed
column_choice.py  columns that a job uses, chosen by their names alone
builtin.py     scikit-learn's sets; tables.py CSV and Parquet; arrays.py NPZ and functions: all these read
masking.py     removes personal data; redaction.py finds it in texts
spelling.py    numbers and dates in another spelling, read or refused
quality.py     checks of the rows, before training
encoding.py    columns → numbers; words.py texts → ids; images.py files → pixels
streamed.py    rows of a Parquet file larger than memory
split.py       training, validation and held-out rows; parts.py splits by a column
"""

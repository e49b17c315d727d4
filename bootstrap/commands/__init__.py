"""What the words on the command line do, one file each; the files beside them are those that two of them share (stacks,
stale_lock, worktree) and the prediction that ends `up`.
"""

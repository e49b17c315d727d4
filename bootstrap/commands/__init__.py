"""Commands of the command line, one file each. The other files are shared by several commands (stacks, stale_lock,
worktree) or make the prediction at the end of `up`.
"""

"""Four small stacks: vision, language, recommendation, voice. It is a package because opacus installs one with the same
name."""

"""Four small stacks: vision, language, recommendation, voice. A package, since opacus installs one of the same name."""

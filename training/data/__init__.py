"""Where rows come from, what they are, and what is done to them before anybody sees them."""

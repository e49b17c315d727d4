"""Speed of sealing and opening, beside other programs and the limits of the machine."""

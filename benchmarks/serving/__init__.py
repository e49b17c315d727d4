"""How fast the model server answers, beside other servers of the same model."""

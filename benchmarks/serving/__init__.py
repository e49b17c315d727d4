"""Speed of the model server, beside other servers of the same model."""
